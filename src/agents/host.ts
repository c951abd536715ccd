import type { HostReport } from "#gen/certctl/v1/agent_work_pb.ts";
import type { Prisma } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";

/** A target in an agent's agent.yaml. */
export interface HostEntry {
  name: string;
  kind: string;
  endpoint: string;
}

/** Keeps what an agent says of its agent.yaml, where it has changed. One that says nothing is an older agent. */
export async function storeHost(
  db: Database | Transaction,
  agentId: string,
  report: HostReport | undefined,
): Promise<void> {
  if (!report) return;
  const entries = report.entries.map(({ name, kind, endpoint }): HostEntry => ({ name, kind, endpoint }));
  const hostEntries = entries as unknown as Prisma.InputJsonArray;
  const isSame = { hostEntries: { equals: hostEntries }, hostProblem: report.problem };
  await db.agent.updateMany({
    where: { id: agentId, NOT: isSame },
    data: { hostEntries, hostProblem: report.problem },
  });
}
