import { beforeEach, describe, expect, test } from "vitest";
import { AuthorityState } from "#gen/certctl/v1/authorities_pb.ts";
import { type AuthorityStage, openAuthorityStage, openEnterprise } from "../../test/authority-stage.ts";
import { operator, refusalOf } from "../../test/fixtures.ts";
import { openssl } from "../../test/openssl.ts";
import { verifyChain } from "../../test/verify.ts";
import { noSubtrees } from "../x509/name-constraints.ts";
import { importAuthority, installAuthority } from "./install.ts";
import { rotateAuthority } from "./rotate.ts";

const passphrase = "a passphrase of many words";
let stage: AuthorityStage;
let { plane, create, issued, shown } = {} as AuthorityStage;
beforeEach(async () => {
  stage = await openAuthorityStage();
  ({ plane, create, issued, shown } = stage);
  return () => stage[Symbol.asyncDispose]();
});

describe("a CA under another's root", () => {
  test("has its CSR signed there, and signs from the installation on", async () => {
    await using corp = await openEnterprise();
    const id = await create({
      parentId: "",
      names: { permitted: { ...noSubtrees(), dns: ["corp.example"] }, excluded: noSubtrees() },
    });
    const { csrPem, state } = await shown(id);
    expect(state).toBe(AuthorityState.PENDING);
    expect(await plane.issuing.signingFor("iss-second")).toBeNull();
    const signed = await corp.sign(csrPem);
    const install = (certificatePem: string) => installAuthority(plane, operator, { id, certificatePem });
    const first = await refusalOf(install(signed));
    expect(first).toMatchObject({ fields: ["certificate_pem"] });
    expect(first.message).toContain("up to and with the root");
    const other = await corp.sign(
      await shown(await create({ parentId: "", name: "Other" })).then((o) => o.csrPem),
    );
    const foreign = await refusalOf(install(other + (await corp.rootPem())));
    expect(foreign.message).toContain("another key");
    await install(signed + (await corp.rootPem()));
    const version = await issued("www.corp.example");
    expect(version.authorityId).toBe(id);
    await verifyChain(version.pemChain, await corp.rootPem(), "www.corp.example");
    expect(await refusalOf(install(signed + (await corp.rootPem())))).toMatchObject({ reason: "INSTALLED" });
    expect(await shown((await shown(id)).parentId)).toMatchObject({
      state: AuthorityState.OFFLINE,
      name: "Corp Root",
    });
  });

  test("is brought with its key, encrypted or not", async () => {
    await using corp = await openEnterprise();
    const [key, csr] = [corp.scratch.path("own.key"), corp.scratch.path("own.csr")];
    const made = ["-newkey", "rsa:2048", "-keyout", key, "-out", csr, "-passout", `pass:${passphrase}`];
    const extensions = [
      "basicConstraints=critical,CA:TRUE,pathlen:0",
      "keyUsage=critical,keyCertSign,cRLSign",
    ];
    await openssl(
      "req",
      ...made,
      "-subj",
      "/CN=Corp Sub",
      ...extensions.flatMap((text) => ["-addext", text]),
    );
    const certificatePem = (await corp.sign(await openssl("req", "-in", csr))) + (await corp.rootPem());
    const privateKeyPem = await openssl(
      "pkcs8",
      "-in",
      key,
      "-passin",
      `pass:${passphrase}`,
      "-topk8",
      "-passout",
      `pass:${passphrase}`,
    );
    const wanted = { name: "Corp Sub", issuerId: "iss-second", certificatePem, privateKeyPem, passphrase };
    const refused = (changes: object) =>
      refusalOf(importAuthority(plane, operator, { ...wanted, ...changes }));
    expect(await refused({ passphrase: "" })).toMatchObject({ fields: ["passphrase"] });
    expect(await refused({ passphrase: "another" })).toMatchObject({ fields: ["passphrase"] });
    const stranger = await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256");
    expect(await refused({ privateKeyPem: stranger })).toMatchObject({ fields: ["private_key_pem"] });
    const id = await importAuthority(plane, operator, wanted);
    const version = await issued("x.example");
    expect(version.authorityId).toBe(id);
    await verifyChain(version.pemChain, await corp.rootPem(), "x.example");
    expect(await refused({})).toMatchObject({ reason: "KEY_REUSED" });
    const audits = await plane.db.auditEvent.findMany({ where: { resourceId: id } });
    expect(JSON.stringify(audits.map(({ details }) => details))).not.toMatch(/PRIVATE|passphrase/);
  });

  test("is rotated by another CSR, and signs on until that is installed", async () => {
    await using corp = await openEnterprise();
    const id = await create({ parentId: "" });
    const install = async (ca: string) => {
      plane.time.now = new Date(plane.time.now.getTime() + 1_000);
      const certificatePem = (await corp.sign((await shown(ca)).csrPem)) + (await corp.rootPem());
      await installAuthority(plane, operator, { id: ca, certificatePem });
    };
    await install(id);
    const next = await rotateAuthority(plane, operator, id);
    expect((await issued("a.example")).authorityId).toBe(id);
    expect(await refusalOf(rotateAuthority(plane, operator, id))).toMatchObject({ reason: "PENDING" });
    await install(next);
    expect((await issued("b.example")).authorityId).toBe(next);
    expect(await plane.db.authority.count({ where: { keyPlace: "elsewhere" } })).toBe(1);
  });
});
