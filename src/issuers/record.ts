import type { Database } from "../platform/database.ts";
import type { Outcome } from "../platform/group-commit.ts";
import type { RecordedIssuance } from "./issuer.ts";

/** What will be signed for a job's key. */
export interface IssuanceRecord extends RecordedIssuance {
  jobId: string;
  keyId: string;
  serial: string;
}

/** Commits what will be signed for a job's key. The first record of a key stays. */
export async function recordIssuance(
  db: Database,
  { jobId, keyId }: { jobId: string; keyId: string },
  next: RecordedIssuance & { serial: string },
): Promise<RecordedIssuance> {
  const [outcome] = await recordIssuances(db, [{ jobId, keyId, ...next }]);
  if (!outcome || "error" in outcome) throw new Error(`the record of key ${keyId} cannot be read back`);
  return outcome.result;
}

/** The same for many, in one commit. */
export async function recordIssuances(
  db: Database,
  records: readonly IssuanceRecord[],
): Promise<Outcome<RecordedIssuance>[]> {
  const rows = records.map(({ authorityId, serial, jobId, keyId, tbs }) => ({
    authority_id: authorityId,
    serial,
    job_id: jobId,
    key_id: keyId,
    tbs: tbs.toString("base64"),
  }));
  const made = await db.$queryRaw<{ keyId: string }[]>`
    INSERT INTO issuances (authority_id, serial, job_id, key_id, tbs)
    SELECT authority_id, serial, job_id, key_id, decode(tbs, 'base64')
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS next
      (authority_id text, serial text, job_id text, key_id text, tbs text)
    ON CONFLICT (key_id) DO NOTHING RETURNING key_id AS "keyId"`;
  const isNew = new Set(made.map(({ keyId }) => keyId));
  const earlier = records.filter(({ keyId }) => !isNew.has(keyId)).map(({ keyId }) => keyId);
  const kept = earlier.length === 0 ? [] : await db.issuance.findMany({ where: { keyId: { in: earlier } } });
  const known = new Map(kept.map((row) => [row.keyId, row]));
  return records.map(({ keyId, authorityId, tbs }) => {
    if (isNew.has(keyId)) return { result: { authorityId, tbs } };
    const row = known.get(keyId);
    if (!row) return { error: new Error(`the record of key ${keyId} cannot be read back`) };
    return { result: { authorityId: row.authorityId, tbs: Buffer.from(row.tbs) } };
  });
}
