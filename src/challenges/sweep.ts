import type { JsonObject } from "@bufbuild/protobuf";
import { openSecrets } from "../connectors/secrets.ts";
import type { KeptChallenge } from "../issuers/issuer.ts";
import type { IssuerKinds } from "../issuers/manage.ts";
import { issuerTools, type ToolDeps } from "../issuers/tools.ts";
import { openStatuses } from "../jobs/state.ts";
import type { Log } from "../platform/log.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import type { AskAgent } from "./ask-agent.ts";

export interface SweepDeps extends ToolDeps {
  issuerKinds: IssuerKinds;
  askAgent: AskAgent;
  log: Log;
}

/** No attempt publishes for longer. */
const leftAfterMs = 3_600_000;
/** What cannot be cleared in this time never will be: the agent is gone, or the name server. */
const givenUpAfterMs = 7 * 86_400_000;

/** Takes away challenges that a process left behind when it was killed, or could not take away. */
export async function sweepChallenges(deps: SweepDeps, now: Date, signal: AbortSignal): Promise<string> {
  const { db, sealer, issuerKinds, askAgent, log } = deps;
  const before = new Date(now.getTime() - leftAfterMs);
  const left = await db.challenge.findMany({
    where: { OR: [{ createdAt: { lt: before } }, { job: { status: { notIn: [...openStatuses] } } }] },
    include: { issuer: true },
    orderBy: { createdAt: "asc" },
    take: 1_000,
  });
  let cleared = 0;
  for (const { issuer: row, ...challenge } of left) {
    if (signal.aborted) break;
    try {
      const config = openSecrets(sealer, { table: "issuers", id: row.id }, row.config as JsonObject);
      await issuerKinds.get(row.kind)?.clearChallenge?.(challenge as KeptChallenge, config, {
        ...issuerTools(deps, row.id, signal),
        askAgent: (what, kept) => askAgent(what, kept, signal),
      });
    } catch (error) {
      log.warn({ err: error, challengeId: challenge.id }, "a challenge could not be taken away");
      if (now.getTime() - challenge.createdAt.getTime() < givenUpAfterMs) continue;
    }
    await db.challenge.deleteMany({ where: { id: challenge.id } });
    cleared += 1;
  }
  return `${cleared} of ${left.length} challenges that were left behind taken away`;
}

export function challengesTask(deps: SweepDeps, everyMs: number): ScheduledTask {
  return {
    name: "challenges",
    title: "Takes away challenges that were left behind",
    everyMs,
    run: (now, signal) => sweepChallenges(deps, now, signal),
  };
}
