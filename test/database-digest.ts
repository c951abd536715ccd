import { Client } from "pg";

/** What changes by itself: signs of life, the schedule, and the sealing of the audit. */
const restless = {
  tables: ["replicas", "scheduled_tasks", "audit_seals", "audit_checkpoints", "_prisma_migrations"],
  columns: ["last_used_at", "last_heartbeat_at", "session_id", "session_epoch", "clock_offset_ms"],
};

/** A fingerprint of everything that is stored, by table. */
export async function digestOf(databaseUrl: string): Promise<Record<string, string>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND NOT table_name = ANY($1)",
      [restless.tables],
    );
    const digests = tables.map(
      ({ name }) => `SELECT '${name}' AS name, md5(coalesce(string_agg(row, '|' ORDER BY row), '')) AS digest
        FROM (SELECT (to_jsonb(t) - $1::text[])::text AS row FROM "${name}" t) rows`,
    );
    const { rows } = await client.query<{ name: string; digest: string }>(digests.join(" UNION ALL "), [
      restless.columns,
    ]);
    return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
  } finally {
    await client.end();
  }
}
