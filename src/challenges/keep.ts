import type { Challenge, Challenges, KeptChallenge } from "../issuers/issuer.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";

/** The challenges of a job. They outlive the process: what is left behind is found by the next attempt, or by the sweep. */
export function challengesOf(
  db: Database,
  { issuerId, jobId, agentId }: { issuerId: string; jobId: string; agentId: string },
  clock: () => Date,
): Challenges {
  return {
    async keep(challenge: Challenge) {
      const { type, identifier, token, keyAuthorization } = challenge;
      const data = { id: newId("ch"), issuerId, jobId, agentId, type, identifier, token, keyAuthorization };
      const row = await db.challenge.upsert({
        where: { issuerId_jobId_identifier_token: { issuerId, jobId, identifier, token } },
        create: { ...data, createdAt: clock() },
        update: { createdAt: clock(), type, keyAuthorization },
      });
      return { ...challenge, id: row.id, agentId };
    },
    async kept() {
      const rows = await db.challenge.findMany({ where: { issuerId, jobId }, orderBy: { createdAt: "asc" } });
      return rows as KeptChallenge[];
    },
    async forget(id) {
      await db.challenge.deleteMany({ where: { id } });
    },
  };
}
