import { X509Certificate } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { AuthorityRole, AuthorityState } from "#gen/certctl/v1/authorities_pb.ts";
import { type AuthorityStage, openAuthorityStage } from "../../test/authority-stage.ts";
import {
  dayMs,
  newCertificate,
  newCsr,
  openIssuance,
  operator,
  refusalOf,
  submitCsr,
} from "../../test/fixtures.ts";
import { verifyChain } from "../../test/verify.ts";
import { zlint } from "../../test/zlint.ts";
import { issue } from "../certificates/issue.ts";
import { performRevocation } from "../certificates/perform-revocation.ts";
import { revokeCertificate } from "../certificates/revoke.ts";
import { rebuildCrl } from "../revocation/crl.ts";
import { refreshRevocationData } from "../revocation/task.ts";
import { sha256, spkiOf } from "../x509/keys.ts";
import { noSubtrees, type Subtrees } from "../x509/name-constraints.ts";
import { readNameLimits } from "./create.ts";
import { createIssuingAuthorities } from "./issuing.ts";
import { exportAuthorityKey, restoreAuthorityKey, takeAuthorityOffline } from "./offline.ts";
import { rotateAuthority } from "./rotate.ts";
import { listAuthorities } from "./view.ts";

let stage: AuthorityStage;
let { plane, agent, rootId, firstCa, create, issued, shown } = {} as AuthorityStage;
beforeEach(async () => {
  stage = await openAuthorityStage();
  ({ plane, agent, rootId, firstCa, create, issued, shown } = stage);
  return () => stage[Symbol.asyncDispose]();
});
const { signal } = new AbortController();
const passphrase = "a passphrase of many words";

function names(permitted: Partial<Subtrees>, excluded: Partial<Subtrees> = {}) {
  return { permitted: { ...noSubtrees(), ...permitted }, excluded: { ...noSubtrees(), ...excluded } };
}

describe("a CA of one's own", () => {
  test("signs for its issuer what every client accepts, and for no other issuer", async () => {
    const id = await create();
    const version = await issued("b.example");
    expect(version.authorityId).toBe(id);
    await verifyChain(version.pemChain, version.rootPem, "b.example");
    expect(await zlint(new X509Certificate(version.pemChain).raw)).toEqual([]);
    expect((await issued("c.example", "iss-local")).authorityId).toBe(firstCa);
    const details = await shown(id);
    expect(details).toMatchObject({
      state: AuthorityState.ACTIVE,
      validCertificates: 1,
      issuerName: "Second",
    });
    expect(await zlint(new X509Certificate(details.certificatePem).raw)).toEqual([]);
  });

  test("is as it was asked to be", async () => {
    const root = await create({
      name: "Own root",
      issuerId: "",
      parentId: "",
      pathLength: 2,
      validityDays: 1_000,
    });
    const middle = await create({
      parentId: root,
      keyAlgorithm: "RSA-2048",
      pathLength: 1,
      validityDays: 500,
    });
    const low = await create({
      name: "Low",
      parentId: middle,
      keyAlgorithm: "ECDSA-P384",
      validityDays: 900,
    });
    expect(await shown(root)).toMatchObject({
      role: AuthorityRole.ISSUING_ROOT,
      pathLength: 2,
      keyAlgorithm: "ECDSA-P384",
    });
    expect(await shown(middle)).toMatchObject({
      keyAlgorithm: "RSA-2048",
      pathLength: 1,
      subject: "CN=Second CA",
    });
    const { notBefore, notAfter, keyAlgorithm } = await shown(low);
    expect(keyAlgorithm).toBe("ECDSA-P384");
    expect(Number((notAfter?.seconds ?? 0n) - (notBefore?.seconds ?? 0n)) / 86_400).toBeCloseTo(500, 0);
    const version = await issued("deep.example");
    expect(version.authorityId).toBe(low);
    await verifyChain(version.pemChain, version.rootPem, "deep.example");
  });

  test("is limited to names, which it and those above it are held to before they sign", async () => {
    const limits = names({ dns: ["corp.example"] }, { dns: ["secret.corp.example"] });
    const root = await create({ name: "Corp root", issuerId: "", parentId: "", names: limits });
    await create({ parentId: root });
    const version = await issued("www.corp.example");
    await verifyChain(version.pemChain, version.rootPem, "www.corp.example");
    for (const name of ["www.other.example", "x.secret.corp.example", "192.0.2.1"])
      expect(await refusalOf(issued(name))).toMatchObject({ code: "InvalidArgument", fields: ["sans"] });
    expect(await shown(root)).toMatchObject({
      names: {
        permittedDns: ["corp.example"],
        excludedDns: ["secret.corp.example"],
        excludedIp: ["0.0.0.0/0", "::/0"],
      },
    });
    const outside = create({ parentId: root, names: names({ dns: ["other.example"] }) });
    expect(await refusalOf(outside)).toMatchObject({ fields: ["names"] });
    // What was declared while another CA signed is not signed by this one.
    const wanted = { agentId: agent.id, issuerId: "iss-local", commonName: "late.example" };
    const job = await openIssuance(plane, agent, await newCertificate(plane, wanted));
    await submitCsr(plane, agent, job, newCsr(["late.example"]));
    await plane.db.managedCertificate.updateMany({ data: { issuerId: "iss-second" } });
    await issue(plane, job.id, signal);
    const failed = await plane.db.job.findUniqueOrThrow({ where: { id: job.id } });
    expect(failed).toMatchObject({ status: "Failed", errorStep: "sign" });
    expect(failed.errorMessage).toContain("its name constraints do not allow it");
  });

  test("is refused where whoever checks the chain would refuse it", async () => {
    expect(await refusalOf(create({ parentId: firstCa }))).toMatchObject({ fields: ["parent_id"] });
    expect(await refusalOf(create({ pathLength: 1 }))).toMatchObject({ fields: ["path_length"] });
    expect(await refusalOf(create({ parentId: "ca-nobody" }))).toMatchObject({ fields: ["parent_id"] });
    expect(await refusalOf(create({ issuerId: "iss-nobody" }))).toMatchObject({ fields: ["issuer_id"] });
    expect(await refusalOf(create({ parentId: plane.authorities.byRole["system-root"].id }))).toMatchObject({
      fields: ["parent_id"],
    });
    await plane.db.issuer.create({ data: { id: "iss-other", name: "Other", kind: "acme", config: {} } });
    expect(await refusalOf(create({ issuerId: "iss-other" }))).toMatchObject({ fields: ["issuer_id"] });
    const id = await create({ id: "ca-named" });
    expect(await refusalOf(create({ id }))).toMatchObject({ code: "AlreadyExists" });
  });

  test("has limits that are read as people write them, each problem at its place", () => {
    const none = { permittedDns: [], permittedIp: [], excludedDns: [], excludedIp: [] };
    expect(readNameLimits(none)).toBeNull();
    expect(
      readNameLimits({ ...none, permittedDns: ["*.Corp.Example."], permittedIp: ["10.1.2.3/8"] }),
    ).toEqual(names({ dns: ["corp.example"], ip: ["10.0.0.0/8"] }));
    const wrong = async () => readNameLimits({ ...none, permittedDns: ["a", "b c"], excludedIp: ["10/8"] });
    return expect(refusalOf(wrong())).resolves.toMatchObject({
      fields: ["names.permitted_dns[1]", "names.excluded_ip[0]"],
    });
  });

  test("is known to every replica at once when it is needed there", async () => {
    const replica = createIssuingAuthorities(plane.db, plane.sealer, null);
    expect(await replica.signingFor("iss-second")).toBeNull();
    const id = await create();
    expect((await replica.signingFor("iss-second"))?.id).toBe(id);
    expect((await replica.find(await create({ name: "Third" })))?.role).toBe("issuing-ca");
  });
});

describe("rotation", () => {
  test("has the successor sign, while the CA before keeps its CRL until its last certificate ends", async () => {
    const before = await issued("old.example", "iss-local");
    plane.time.now = new Date(plane.time.now.getTime() + 1_000);
    const next = await rotateAuthority(plane, operator, firstCa);
    const after = await issued("new.example", "iss-local");
    expect([before.authorityId, after.authorityId]).toEqual([firstCa, next]);
    await verifyChain(before.pemChain, before.rootPem, "old.example");
    await verifyChain(after.pemChain, after.rootPem, "new.example");
    expect(await shown(firstCa)).toMatchObject({ state: AuthorityState.OVERLAP });
    expect(await shown(next)).toMatchObject({
      state: AuthorityState.ACTIVE,
      name: "certctl issuing ca 2",
      pathLength: 0,
    });
    const wanted = {
      id: before.certificateId,
      versionId: before.id,
      reason: "Superseded",
      force: true,
    } as const;
    for (const jobId of await revokeCertificate(plane, operator, wanted))
      await performRevocation(plane, jobId, signal);
    await rebuildCrl(plane, firstCa);
    expect(await shown(firstCa)).toMatchObject({ revokedCertificates: 1, crl: { entries: 1 } });
    expect(await refusalOf(rotateAuthority(plane, operator, firstCa))).toMatchObject({ reason: "SUCCEEDED" });
    plane.time.now = new Date(plane.time.now.getTime() + 60 * dayMs);
    expect(await shown(firstCa)).toMatchObject({ state: AuthorityState.RETIRED });
    const number = (await shown(firstCa)).crl?.number;
    await refreshRevocationData(plane, plane.time.now);
    expect((await shown(firstCa)).crl?.number).toBe(number);
    expect((await shown(next)).crl).toBeDefined();
  });

  test("keeps the limits, and lets a job that the CA before recorded end there", async () => {
    const limits = names({ dns: ["corp.example"] });
    const old = await create({ name: "Limited", names: limits, keyAlgorithm: "ECDSA-P384" });
    const wanted = { agentId: agent.id, issuerId: "iss-second", commonName: "a.corp.example" };
    const job = await openIssuance(plane, agent, await newCertificate(plane, wanted));
    await submitCsr(plane, agent, job, newCsr(["a.corp.example"]));
    const crash = { ...plane, issuing: { ...plane.issuing, find: () => Promise.reject(new Error("dies")) } };
    await issue(crash, job.id, signal);
    plane.time.now = new Date(plane.time.now.getTime() + 1_000);
    const next = await rotateAuthority(plane, operator, old);
    expect(await shown(next)).toMatchObject({
      keyAlgorithm: "ECDSA-P384",
      names: { permittedDns: ["corp.example"] },
    });
    const version = await plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId: job.id } });
    expect(version.authorityId).toBe(old);
  });
});

describe("a root that goes offline", () => {
  test("is exported, removed, and brought back to sign another CA", async () => {
    const exported = await exportAuthorityKey(plane, operator, { id: rootId, passphrase });
    expect(exported.privateKeyPem).toContain("ENCRYPTED PRIVATE KEY");
    const offline = (keySha256: string) => takeAuthorityOffline(plane, operator, { id: rootId, keySha256 });
    expect(await refusalOf(offline("0".repeat(64)))).toMatchObject({ fields: ["key_sha256"] });
    const certificate = new X509Certificate(exported.certificatePem);
    await offline(sha256(spkiOf(certificate.publicKey)).toString("hex"));
    expect(await shown(rootId)).toMatchObject({ state: AuthorityState.OFFLINE });
    expect((await plane.db.authority.findUniqueOrThrow({ where: { id: rootId } })).sealedKey).toBeNull();
    expect((await issued("still.example", "iss-local")).authorityId).toBe(firstCa);
    expect((await refusalOf(create())).message).toContain("offline");
    expect(await refusalOf(rotateAuthority(plane, operator, firstCa))).toMatchObject({
      reason: "KEY_OFFLINE",
    });
    const { privateKeyPem } = exported;
    const restore = (file: object) =>
      restoreAuthorityKey(plane, operator, { id: rootId, privateKeyPem, passphrase, ...file });
    expect(await refusalOf(restore({ passphrase: "wrong" }))).toMatchObject({ fields: ["passphrase"] });
    await restore({});
    plane.time.now = new Date(plane.time.now.getTime() + 1_000);
    const next = await rotateAuthority(plane, operator, firstCa);
    const version = await issued("again.example", "iss-local");
    expect(version.authorityId).toBe(next);
    await verifyChain(version.pemChain, version.rootPem, "again.example");
    const actions = await plane.db.auditEvent.findMany({
      where: { resourceId: rootId },
      orderBy: { position: "asc" },
    });
    expect(actions.map(({ action }) => action)).toEqual([
      ...["authority_created", "authority_key_exported", "authority_taken_offline", "authority_key_restored"],
    ]);
  });

  test("has to have been exported, and an issuing CA stays", async () => {
    const { spki } = plane.authorities.byRole["issuing-root"];
    const keySha256 = sha256(spki).toString("hex");
    expect(await refusalOf(takeAuthorityOffline(plane, operator, { id: rootId, keySha256 }))).toMatchObject({
      reason: "NOT_EXPORTED",
    });
    const issuing = exportAuthorityKey(plane, operator, { id: firstCa, passphrase });
    expect(await refusalOf(issuing)).toMatchObject({ reason: "NO_ROOT" });
  });
});

test("the list has both trees, by name and by issuer", async () => {
  const page = { page: 0, perPage: 0, sort: "name", cursor: "", q: "", issuerId: "" };
  const list = async (changes: Partial<typeof page>) => {
    const { rows } = await listAuthorities(plane.db, { ...page, ...changes }, plane.time.now);
    return rows.map(({ name }) => name);
  };
  const all = [
    "certctl agent ca",
    "certctl issuing ca",
    "certctl issuing root",
    "certctl server ca",
    "certctl system root",
  ];
  expect(await list({})).toEqual(all);
  expect(await list({ q: "ROOT" })).toEqual([all[2], all[4]]);
  expect(await list({ issuerId: "iss-local" })).toEqual([all[1]]);
});
