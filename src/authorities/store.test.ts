import { type KeyObject, randomBytes } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { createDatabase } from "../../test/database.ts";
import { type DatabaseHandle, openDatabase } from "../platform/database.ts";
import { createSealer, SealError } from "../platform/seal.ts";
import { StartupError } from "../platform/startup-error.ts";
import { isSignedBy, signBytes } from "../x509/keys.ts";
import { type Authorities, roles } from "./authority.ts";
import { openAuthorities } from "./store.ts";

const now = new Date("2030-06-01T12:00:00Z");
const sealer = createSealer(randomBytes(32));

let url: string;
let handle: DatabaseHandle;
beforeEach(async () => {
  const database = await createDatabase();
  url = database.url;
  handle = openDatabase(url, () => {});
  return async () => {
    await handle[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  };
});

const open = (with_ = sealer, db = handle.db) => openAuthorities(db, with_, now);
const certificatesOf = ({ byRole }: Authorities) => roles.map((role) => byRole[role].der.toString("hex"));

describe("the first start", () => {
  test("makes one CA for each role, and a trust domain of its own", async () => {
    const authorities = await open();
    expect(authorities.trustDomain).toMatch(/^certctl-[a-z2-7]{12}\.internal$/);
    const rows = await handle.db.authority.findMany();
    expect(rows.map(({ role }) => role).sort()).toEqual([...roles].sort());
    for (const role of roles)
      expect(authorities.byRole[role]).toMatchObject({ role, id: expect.any(String) });
    const parentOf = new Map(rows.map(({ id, parentId }) => [id, parentId]));
    expect(parentOf.get(authorities.byRole["agent-ca"].id)).toBe(authorities.byRole["system-root"].id);
    expect(parentOf.get(authorities.byRole["issuing-ca"].id)).toBe(authorities.byRole["issuing-root"].id);
  });

  test("writes down what it made", async () => {
    const { byRole } = await open();
    const events = await handle.db.auditEvent.findMany({ where: { action: "authority_created" } });
    expect(events.map(({ resourceId }) => resourceId).sort()).toEqual(
      roles.map((role) => byRole[role].id).sort(),
    );
  });

  test("of several replicas at once makes one set", async () => {
    const replicas = Array.from({ length: 4 }, () => openDatabase(url, () => {}));
    const opened = await Promise.all(replicas.map(({ db }) => open(sealer, db)));
    for (const { trustDomain, ...rest } of opened) {
      expect(trustDomain).toBe(opened[0]?.trustDomain);
      expect(certificatesOf({ trustDomain, ...rest })).toEqual(certificatesOf(opened[0] as Authorities));
    }
    expect(await handle.db.authority.count()).toBe(roles.length);
    for (const replica of replicas) await replica[Symbol.asyncDispose]();
  });

  test("seals the keys: none stands in the database as it is", async () => {
    const { byRole } = await open();
    for (const row of await handle.db.authority.findMany()) {
      const sealedKey = row.sealedKey ?? new Uint8Array();
      const pkcs8 = (byRole[row.role as keyof typeof byRole].key as KeyObject).export({
        type: "pkcs8",
        format: "der",
      });
      expect(Buffer.from(sealedKey).includes(pkcs8.subarray(-48))).toBe(false);
      expect(() =>
        sealer.open({ table: "authorities", id: "ca-other", field: "sealed_key" }, sealedKey),
      ).toThrow(SealError);
    }
  });
});

describe("a later start", () => {
  test("opens the same CAs, with keys that fit", async () => {
    const [first, second] = [await open(), await open()];
    expect(second.trustDomain).toBe(first.trustDomain);
    expect(certificatesOf(second)).toEqual(certificatesOf(first));
    for (const role of roles) {
      const { key, certificate, parent } = second.byRole[role];
      const data = Buffer.from("anything");
      expect(isSignedBy(certificate.publicKey, data, signBytes(key, data))).toBe(true);
      expect(parent?.role).toBe(first.byRole[role].parent?.role);
    }
  });

  test("with another wrapping key is refused in words for the operator", async () => {
    await open();
    const refused = open(createSealer(randomBytes(32)));
    await expect(refused).rejects.toThrow(StartupError);
    await expect(refused).rejects.toThrow("CERTCTL_CONFIG_ENCRYPTION_KEY");
    expect(await handle.db.authority.count()).toBe(roles.length);
  });

  test("in another PostgreSQL begins an epoch of its own, which is written down", async () => {
    await open();
    const epoch = async () => (await handle.db.installation.findUniqueOrThrow({ where: { id: 1 } })).dbEpoch;
    await open();
    expect(await epoch()).toBe(1);
    await handle.db.installation.update({
      where: { id: 1 },
      data: { systemIdentifier: "7000000000000000000" },
    });
    await Promise.all([open(), open()]);
    expect(await epoch()).toBe(2);
    const events = await handle.db.auditEvent.findMany({ where: { action: "database_moved" } });
    expect(events).toMatchObject([{ epoch: 2, details: { before: "7000000000000000000", epoch: 2 } }]);
  });

  test("is refused when a sealed key was swapped for another's", async () => {
    const { byRole } = await open();
    const [from, to] = [byRole["issuing-ca"].id, byRole["agent-ca"].id];
    await handle.db.$executeRaw`
      UPDATE authorities SET sealed_key = (SELECT sealed_key FROM authorities WHERE id = ${from}) WHERE id = ${to}`;
    await expect(open()).rejects.toThrow(SealError);
  });
});
