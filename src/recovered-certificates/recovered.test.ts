import { beforeEach, expect, test } from "vitest";
import {
  type ControlPlane,
  dayMs,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  newKey,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { certificatePem, makeLeaf, makeTrees } from "../../test/trees.ts";
import { rotateAuthority } from "../authorities/rotate.ts";
import { dueCrls, rebuildCrl } from "../revocation/crl.ts";
import { recoverCertificate } from "./recover.ts";
import { revokeRecovered } from "./revoke.ts";
import { findRecovered, listRecovered } from "./view.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeEach(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
  return () => plane[Symbol.asyncDispose]();
});
const ca = () => plane.authorities.byRole["issuing-ca"];
/** A certificate that the CA signed and the database does not know of. */
const lost = (options: Parameters<typeof makeLeaf>[1] = {}) =>
  certificatePem(makeLeaf(ca(), { now: plane.time.now, ...options }));
const recover = (pem: string) => recoverCertificate(plane, operator, pem);

test("takes what one of certctl's CAs signed, once", async () => {
  const pem = lost({ sans: ["a.example", "10.0.0.7"] });
  const id = await recover(`${pem}${certificatePem(ca().der)}`);
  expect(await recover(pem)).toBe(id);
  const [shown] = (
    await listRecovered(plane.db, { ...{ page: 1, perPage: 10, sort: "", cursor: "" }, authorityId: ca().id })
  ).rows;
  expect(shown).toMatchObject({
    id,
    authorityId: ca().id,
    sans: ["a.example", "10.0.0.7"],
    certificatePem: pem,
  });
  expect(await plane.db.auditEvent.count({ where: { action: "certificate_recovered" } })).toBe(1);
});

test.each<[string, () => Promise<string> | string, string]>([
  [
    "another's CA signed",
    () => certificatePem(makeLeaf(makeTrees()["issuing-ca"])),
    "was signed by none of certctl's CAs",
  ],
  ["names a CA but is not signed by it", () => forged(), "was signed by none of certctl's CAs"],
  [
    "the agents' CA signed",
    () => certificatePem(makeLeaf(plane.authorities.byRole["agent-ca"], { now: plane.time.now })),
    "none of certctl's CAs",
  ],
  [
    "has ended",
    () => lost({ now: new Date(plane.time.now.getTime() - 60 * dayMs) }),
    "nobody trusts it any more",
  ],
  ["is no certificate", () => certificatePem(Buffer.from("300330", "hex")), "cannot be read"],
  ["is no PEM", () => "certificate", "has no PEM block CERTIFICATE"],
])("refuses what %s", async (_what, make, words) => {
  const refusal = await refusalOf(recover(await make()));
  expect(refusal).toMatchObject({ code: "InvalidArgument", fields: ["certificate_pem"] });
  expect(refusal.message).toContain(words);
});

/** With another name in it than the one that was signed. */
function forged(): string {
  const der = makeLeaf(ca(), { now: plane.time.now });
  const at = der.lastIndexOf("www.example");
  der.write("xxx", at, "latin1");
  return certificatePem(der);
}

test("sends whoever brings a version to that version", async () => {
  const version = await issueVersion(plane, agent, await newCertificate(plane, { agentId: agent.id }));
  const refusal = await refusalOf(recover(version.pemChain));
  expect(refusal.reason).toBe("KNOWN");
  expect(refusal.message).toContain(version.id);
});

test("lets no other certificate have its key", async () => {
  const key = newKey();
  await recover(lost({ key }));
  const job = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
  const refusal = await refusalOf(submitCsr(plane, agent, job, newCsr(["site.example"], { key })));
  expect(refusal.reason).toBe("KEY_REUSED");
});

test("keeps up the CRL of a CA that has a successor until the last recovered one ends, and has it in there", async () => {
  const { id: authorityId } = ca();
  plane.time.now = new Date(plane.time.now.getTime() + 60_000);
  await rotateAuthority(plane, operator, authorityId);
  await rebuildCrl(plane, authorityId);
  const later = (ms: number) => {
    plane.time.now = new Date(plane.time.now.getTime() + ms);
    return plane.time.now;
  };
  expect(await dueCrls(plane.db, later(2 * dayMs))).not.toContain(authorityId);
  const id = await recover(lost({ days: 10 }));
  expect(await dueCrls(plane.db, plane.time.now)).toContain(authorityId);
  await rebuildCrl(plane, authorityId);
  await revokeRecovered(plane, operator, { id, reason: "Superseded" });
  await revokeRecovered(plane, operator, { id, reason: "KeyCompromise" });
  expect(await findRecovered(plane.db, id)).toMatchObject({ revocationReason: 5 });
  expect(await plane.db.auditEvent.count({ where: { action: "recovered_certificate_revoked" } })).toBe(1);
  const entries = async () => {
    await rebuildCrl(plane, authorityId);
    return (await plane.db.authorityCrl.findUniqueOrThrow({ where: { authorityId } })).entries;
  };
  later(60_000);
  expect(await entries()).toBe(1);
  later(11 * dayMs);
  expect(await entries()).toBe(1);
  expect(await entries()).toBe(0);
  expect(await dueCrls(plane.db, later(2 * dayMs))).not.toContain(authorityId);
});

test("revokes nothing that has ended, or that is not there", async () => {
  const id = await recover(lost({ days: 1 }));
  plane.time.now = new Date(plane.time.now.getTime() + 2 * dayMs);
  const revoke = (which: string) => revokeRecovered(plane, operator, { id: which, reason: "Superseded" });
  expect(await refusalOf(revoke(id))).toMatchObject({ reason: "EXPIRED" });
  expect(await refusalOf(revoke("rc-none"))).toMatchObject({ code: "NotFound" });
});
