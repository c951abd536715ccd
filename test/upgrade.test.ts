import { X509Certificate } from "node:crypto";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { pino } from "pino";
import { expect, test } from "vitest";
import { migrate } from "../src/platform/migrate.ts";
import { migrationNames, prismaDirectory } from "../src/platform/migration-files.ts";
import { createEmptyDatabase } from "./database.ts";
import { freePort } from "./free-port.ts";
import { openScratch, openssl } from "./openssl.ts";
import { temporaryDirectory } from "./site.ts";
import { stageSystem } from "./stage-system.ts";

/** The first migration after a version whose databases are to be taken over. */
const next = "20261125076000_own_authorities";

/** Makes the tables of the version before, and moves into them what that version knew of what is in another database. */
async function goBack(fromUrl: string, toUrl: string): Promise<void> {
  await using directory = await temporaryDirectory();
  await mkdir(join(directory.path, "migrations"));
  await cp(join(prismaDirectory, "schema.prisma"), join(directory.path, "schema.prisma"));
  for (const name of (await migrationNames(prismaDirectory)).filter((each) => each < next))
    await cp(join(prismaDirectory, "migrations", name), join(directory.path, "migrations", name), {
      recursive: true,
    });
  await migrate(toUrl, { log: pino({ level: "silent" }), directory: directory.path });
  const [from, to] = [new Client(fromUrl), new Client(toUrl)];
  await Promise.all([from.connect(), to.connect()]);
  try {
    // Neither foreign keys nor triggers: what is copied held already.
    await to.query("SET session_replication_role = replica");
    const columns = (client: Client) =>
      client.query<{ table: string; column: string; isCounted: boolean }>(
        `SELECT table_name AS table, column_name AS column,
          coalesce(column_default LIKE 'nextval(%', false) OR is_identity = 'YES' AS "isCounted" FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' AND is_generated = 'NEVER'`,
      );
    const known = new Set((await columns(from)).rows.map(({ table, column }) => `${table}.${column}`));
    const shared = Map.groupBy(
      (await columns(to)).rows.filter(({ table, column }) => known.has(`${table}.${column}`)),
      ({ table }) => table,
    );
    for (const [table, found] of shared) {
      const names = found.map(({ column }) => `"${column}"`).join(", ");
      const { rows } = await from.query(`SELECT coalesce(json_agg(t), '[]')::text AS all FROM "${table}" t`);
      await to.query(`DELETE FROM "${table}"`);
      await to.query(
        `INSERT INTO "${table}" (${names}) SELECT ${names} FROM json_populate_recordset(null::"${table}", $1)`,
        [rows[0].all],
      );
      for (const { column } of found.filter(({ isCounted }) => isCounted))
        await to.query(
          `SELECT setval(sequence, (SELECT coalesce(max("${column}"), 0) + 1 FROM "${table}"))
          FROM pg_get_serial_sequence('"${table}"', '${column}') sequence WHERE sequence IS NOT NULL`,
        );
    }
  } finally {
    await Promise.all([from.end(), to.end()]);
  }
}

test("a database of the version that knew one issuing CA goes on: same CA, same agent, and its certificates are answered for", async () => {
  await using old = await createEmptyDatabase();
  const port = await freePort();
  const pkiUrl = `http://127.0.0.1:${port}`;
  await using staged = await stageSystem({
    env: { CERTCTL_PKI_PORT: String(port), CERTCTL_PKI_URL: pkiUrl },
  });
  const { system, certificateId } = staged;
  expect(await system.renew(certificateId)).toMatchObject({ outcome: "Proven" });
  const versions = async () =>
    (await system.rest("GET", `/api/v1/certificates/${certificateId}/versions`)).body.data;
  const [before] = await versions();
  await system.server().end("SIGTERM");
  await goBack(system.databaseUrl, old.url);
  await system.restartServer({ DATABASE_URL: old.url });

  const { body: authorities } = await system.rest("GET", "/api/v1/authorities");
  const signing = authorities.data.filter(
    ({ issuer_id: issuerId }: { issuer_id: string }) => issuerId !== "",
  );
  expect(signing).toMatchObject([
    {
      issuer_id: "iss-local",
      role: "IssuingCa",
      name: "certctl issuing ca",
      key_place: "Database",
      state: "Active",
    },
  ]);
  expect(await system.renew(certificateId)).toMatchObject({ outcome: "Proven", error: null });
  const [after] = await versions();
  expect(after.id).not.toBe(before.id);

  const ca = new X509Certificate(signing[0].certificate_pem);
  const { body: issuer } = await system.rest("GET", "/api/v1/issuers/iss-local");
  await using scratch = await openScratch();
  const [caFile, rootFile] = [
    await scratch.file("ca.pem", ca.toString()),
    await scratch.file("root.pem", issuer.root_pem),
  ];
  for (const { pem_chain: chain } of [before, after]) {
    const leaf = new X509Certificate(chain);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    const file = await scratch.file("leaf.pem", leaf.toString());
    const trust = ["-CAfile", rootFile, "-issuer", caFile, "-verify_other", caFile];
    expect(await openssl("ocsp", ...trust, "-url", `${pkiUrl}/ocsp`, "-cert", file)).toMatch(
      /leaf\.pem: good/,
    );
  }
}, 90_000);
