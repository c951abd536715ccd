import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
} from "../../test/fixtures.ts";
import { openAuditKey } from "../audit/key.ts";
import { openAuthorities } from "../authorities/store.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { issuerAccount } from "../issuers/account.ts";
import { createNotifier, openConfig } from "../notifiers/manage.ts";
import { createSealer, SealError } from "../platform/seal.ts";
import { StartupError } from "../platform/startup-error.ts";
import { responderFor } from "../revocation/responders.ts";
import { requireOpenable } from "./check.ts";
import { keyCheckColumn, sealedColumns } from "./columns.ts";
import { rotateSealed, wrappingKeysInUse } from "./rotate.ts";

const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
const before = createSealer(oldKey);
const between = createSealer(newKey, [oldKey]);
const after = createSealer(newKey);
const secret = "a secret of twenty characters";

let plane: ControlPlane;
/** One of everything that is sealed. */
beforeEach(async () => {
  plane = await openControlPlane(before);
  await openAuditKey(plane.db, before);
  const issuingCa = plane.authorities.byRole["issuing-ca"];
  await plane.db.$transaction((tx) => responderFor(tx, before, issuingCa, plane.time.now));
  for (const name of ["one", "two", "three"]) {
    const config = { url: `https://${name}.example/`, secret };
    const wanted = { id: `nf-${name}`, name, kind: "webhook", config, enabled: true, defaultRecipient: "" };
    await createNotifier(plane, operator, wanted);
  }
  const agent = await newAgent(plane);
  const sealed = (await plane.db.notifier.findUniqueOrThrow({ where: { id: "nf-one" } })).config as object;
  // Kinds of issuers and targets with secrets come and go; their columns hold them in the same form.
  for (const [table, id] of [
    ["issuers", "iss-secret"],
    ["deployment_targets", "tgt-secret"],
  ] as const) {
    const place = { table, id, field: "config.token" };
    const config = { token: { $sealed: before.seal(place, Buffer.from(secret)).toString("base64") } };
    const data = { id, name: id, kind: "x", config };
    if (table === "issuers") await plane.db.issuer.create({ data });
    else await plane.db.target.create({ data: { ...data, agentId: agent.id } });
  }
  await issuerAccount(plane, "iss-local", operator).change(() => ({ key: secret }));
  const certificateId = await newCertificate(plane, { agentId: agent.id });
  const [jobId = ""] = await renewCertificate(plane, operator, certificateId);
  const sealedKey = new Uint8Array(
    before.seal({ table: "server_keys", id: jobId, field: "sealed_key" }, Buffer.from(secret)),
  );
  await plane.db.serverKey.create({ data: { id: jobId, jobId, sealedKey } });
  expect(JSON.stringify(sealed)).not.toContain(secret);
  return () => plane[Symbol.asyncDispose]();
});

/** Every column of the database in which a sealed value lies, whatever the inventory says. */
async function columnsThatHold(keyId: string): Promise<string[]> {
  const columns = await plane.db.$queryRaw<{ table: string; column: string; type: string }[]>`
    SELECT table_name AS table, column_name AS column, data_type AS type FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type IN ('bytea', 'jsonb', 'text')`;
  const found: string[] = [];
  for (const { table, column, type } of columns) {
    const head = Buffer.from(`01${keyId}`, "hex");
    // Base64 of the version and the first octets of the key's id.
    const text = head.subarray(0, 9).toString("base64");
    const condition =
      type === "bytea"
        ? `substring("${column}" from 1 for 9) = decode('${head.toString("hex")}', 'hex')`
        : `"${column}"::text LIKE '%${text}%'`;
    const rows = await plane.db.$queryRawUnsafe<unknown[]>(
      `SELECT 1 FROM "${table}" WHERE ${condition} LIMIT 1`,
    );
    if (rows.length > 0) found.push(`${table}.${column}`);
  }
  return found.sort();
}
const inventory = [...sealedColumns, keyCheckColumn].map(({ table, column }) => `${table}.${column}`).sort();

describe("the inventory of sealed columns", () => {
  test("names every column in which a sealed value lies", async () => {
    expect(await columnsThatHold(before.keyId)).toEqual(inventory);
  });

  test("names every column that is named like one, and every connector's configuration", async () => {
    const schema = await readFile(join(import.meta.dirname, "../../prisma/schema.prisma"), "utf8");
    const named = Array.from(schema.matchAll(/^model \w+ \{[^}]*\}/gms), ([model]) => {
      const table = /@@map\("(\w+)"\)/.exec(model)?.[1] ?? "";
      const columns = Array.from(
        model.matchAll(/^ +(\w*[sS]ealed\w*|config|keyCheck) +(?:Bytes|Json)\??(?:.*@map\("(\w+)"\))?/gm),
        ([, field, mapped]) => `${table}.${mapped ?? field}`,
      );
      const isConnector = /^ +kind +String/m.test(model);
      return columns.filter((column) => isConnector || !column.endsWith(".config"));
    });
    expect(named.flat().sort()).toEqual(inventory);
  });
});

describe("a rotation", () => {
  test("takes everything to the new key, and leaves nothing under the old one", async () => {
    expect(await rotateSealed(plane.db, between)).toEqual({
      authorities: 5,
      ocsp_responders: 1,
      audit_keys: 1,
      server_keys: 1,
      notifiers: 3,
      issuer_accounts: 1,
      issuers: 1,
      deployment_targets: 1,
    });
    expect(await columnsThatHold(before.keyId)).toEqual([]);
    expect(await columnsThatHold(after.keyId)).toEqual(inventory);
    const { byRole } = await openAuthorities(plane.db, after, plane.time.now);
    expect(byRole["issuing-ca"].id).toBe(plane.authorities.byRole["issuing-ca"].id);
    await openAuditKey(plane.db, after);
    for (const row of await plane.db.notifier.findMany())
      expect(openConfig(after, row)).toMatchObject({ secret });
    await expect(openAuthorities(plane.db, before, plane.time.now)).rejects.toThrow(StartupError);
  });

  test("is written down, without a key, and changes nothing when it is run again", async () => {
    await rotateSealed(plane.db, between);
    const state = await plane.db.notifier.findMany();
    expect(await rotateSealed(plane.db, between)).toEqual({});
    expect(await plane.db.notifier.findMany()).toEqual(state);
    const events = await plane.db.auditEvent.findMany({ where: { action: "wrapping_key_rotated" } });
    expect(events).toMatchObject([{ details: { key_id: after.keyId, values: { notifiers: 3 } } }]);
    expect(JSON.stringify(events.map(({ details }) => details))).not.toContain(newKey.toString("hex"));
  });

  test("that broke off leaves everything to be opened with both keys, and goes on", async () => {
    await plane.db.$executeRaw`
      ALTER TABLE deployment_targets ADD CONSTRAINT broken CHECK (id <> 'tgt-secret') NOT VALID`;
    await expect(rotateSealed(plane.db, between)).rejects.toThrow("broken");
    const inUse = await wrappingKeysInUse(plane.db);
    expect(inUse.get(before.keyId)).toEqual(["deployment_targets tgt-secret", "installation 1"]);
    await requireOpenable(plane.db, between);
    await openAuthorities(plane.db, between, plane.time.now);
    // Either key alone opens a part only.
    await expect(openAuthorities(plane.db, after, plane.time.now)).rejects.toThrow("cannot be opened");
    await plane.db.$executeRaw`ALTER TABLE deployment_targets DROP CONSTRAINT broken`;
    expect(await rotateSealed(plane.db, between)).toEqual({ deployment_targets: 1 });
    expect(await columnsThatHold(before.keyId)).toEqual([]);
  });

  test("takes up what a control plane sealed with the old key meanwhile", async () => {
    await rotateSealed(plane.db, between);
    const wanted = { id: "nf-late", name: "late", kind: "webhook", enabled: true, defaultRecipient: "" };
    await createNotifier({ ...plane, sealer: before }, operator, {
      ...wanted,
      config: { url: "https://late.example/", secret },
    });
    await expect(requireOpenable(plane.db, after)).rejects.toThrow(
      "1 values in the database are sealed with another wrapping key (notifiers nf-late)",
    );
    expect(await rotateSealed(plane.db, between)).toEqual({ notifiers: 1 });
    await requireOpenable(plane.db, after);
  });

  test("without the key before is refused, and changes nothing", async () => {
    await expect(rotateSealed(plane.db, after)).rejects.toThrow(SealError);
    await requireOpenable(plane.db, before);
  });
});
