import type { Database } from "../platform/database.ts";
import type { RecordedIssuance } from "./issuer.ts";

/** Commits what will be signed for a job. The first record of a job stays. */
export async function recordIssuance(
  db: Database,
  jobId: string,
  next: RecordedIssuance & { serial: string },
): Promise<RecordedIssuance> {
  await db.$executeRaw`
    INSERT INTO issuances (authority_id, serial, job_id, tbs)
    VALUES (${next.authorityId}, ${next.serial}, ${jobId}, ${new Uint8Array(next.tbs)})
    ON CONFLICT (job_id) DO NOTHING`;
  const row = await db.issuance.findUniqueOrThrow({ where: { jobId } });
  return { authorityId: row.authorityId, tbs: Buffer.from(row.tbs) };
}
