import { Client } from "pg";

/**
 * Fills a database with copies of one certificate that was really issued: each with a job, a version and a plan of its own,
 * spread over owners, environments and the life of a certificate.
 */
export async function fillInventory(url: string, certificateId: string, count: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string; job_id: string }>(
      "SELECT id, job_id FROM certificate_versions WHERE certificate_id = $1 ORDER BY created_at DESC LIMIT 1",
      [certificateId],
    );
    const [version] = rows;
    if (!version) throw new Error(`${certificateId} was not issued`);
    const copy = (table: string, from: string, changes: string) =>
      client.query(
        `INSERT INTO ${table} SELECT (jsonb_populate_record(t, jsonb_build_object(${changes}))).*
         FROM ${table} t, generate_series(1, ${count}) i WHERE t.id = $1`,
        [from],
      );
    const environments = "(ARRAY['production', 'staging', 'development'])[1 + i % 3]";
    await copy(
      "managed_certificates",
      certificateId,
      `'id', 'mc-copy-' || i, 'name', 'host-' || i, 'common_name', 'host-' || i || '.example.test', 'environment', ${environments}`,
    );
    const place = "'certificate_id', 'mc-copy-' || i";
    await copy("jobs", version.job_id, `'id', 'job-copy-' || i, ${place}, 'spki_sha256', null`);
    // Most are well; what is late by its plan is a few in a hundred.
    const end = "now() + interval '1 day' * (i % 46 - 1)";
    await copy(
      "certificate_versions",
      version.id,
      `'id', 'cv-copy-' || i, ${place}, 'job_id', 'job-copy-' || i, 'serial', upper(md5(i::text)), 'key_id', 'key-copy-' || i,
       'fingerprint_sha256', md5(i::text) || md5((-i)::text), 'not_before', ${end} - interval '46 days', 'not_after', ${end},
       'renew_at', ${end} - interval '2 days'`,
    );
    await client.query("ANALYZE");
  } finally {
    await client.end();
  }
}

/** Changes certificates one after the other, so many a second, until the signal. */
export async function changeCertificates(url: string, perSecond: number, signal: AbortSignal): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (let number = 1; !signal.aborted; number += 1) {
      const due = performance.now() + 1_000 / perSecond;
      await client.query("UPDATE managed_certificates SET updated_at = now() WHERE id = $1", [
        `mc-copy-${number % 90}`,
      ]);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
  } finally {
    await client.end();
  }
}
