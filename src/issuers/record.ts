import type { Database } from "../platform/database.ts";
import type { RecordedIssuance } from "./issuer.ts";

/** Commits what will be signed for a job's key. The first record of a key stays. */
export async function recordIssuance(
  db: Database,
  { jobId, keyId }: { jobId: string; keyId: string },
  next: RecordedIssuance & { serial: string },
): Promise<RecordedIssuance> {
  await db.$executeRaw`
    INSERT INTO issuances (authority_id, serial, job_id, key_id, tbs)
    VALUES (${next.authorityId}, ${next.serial}, ${jobId}, ${keyId}, ${new Uint8Array(next.tbs)})
    ON CONFLICT (key_id) DO NOTHING`;
  const row = await db.issuance.findUniqueOrThrow({ where: { keyId } });
  return { authorityId: row.authorityId, tbs: Buffer.from(row.tbs) };
}
