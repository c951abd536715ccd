import { randomUUID } from "node:crypto";
import type { Database } from "./database.ts";
import type { Log } from "./log.ts";

const heartbeatEveryMs = 10_000;
const forgottenAfterSeconds = 300;

/** This server process among its peers. What is claimed to be on a replica counts only while the replica is alive. */
export interface Replica extends AsyncDisposable {
  id: string;
}

export async function joinReplicas(db: Database, log: Log): Promise<Replica> {
  const id = randomUUID();
  const beat = async () => {
    await db.$executeRaw`
      INSERT INTO replicas (id) VALUES (${id}) ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()`;
    await db.$executeRaw`
      DELETE FROM replicas WHERE heartbeat_at < now() - ${forgottenAfterSeconds} * interval '1 second'`;
  };
  await beat();
  const timer = setInterval(() => {
    beat().catch((error) => log.warn({ err: error }, "the replica's heartbeat failed"));
  }, heartbeatEveryMs);
  return {
    id,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await db.replica.deleteMany({ where: { id } });
    },
  };
}
