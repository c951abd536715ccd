import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  declaration,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
} from "../../test/fixtures.ts";
import { refuseRows } from "../../test/refuse-rows.ts";
import { archiveCertificate, createCertificate, type Declaration, updateCertificate } from "./declare.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const created = (changes: Partial<Declaration>, id = "") =>
  createCertificate(plane, operator, id, declaration(changes));
const updated = (id: string, changes: Partial<Declaration>) =>
  updateCertificate(plane, operator, id, declaration(changes));
const rowOf = (id: string) => plane.db.managedCertificate.findUniqueOrThrow({ where: { id } });
const auditOf = (resourceId: string) =>
  plane.db.auditEvent.findMany({ where: { resourceId }, orderBy: { at: "asc" } });

describe("a certificate that is declared", () => {
  test("gets the defaults for what is left out", async () => {
    const id = await created({ commonName: "www.example" });
    expect(id).toMatch(/^mc-[a-z2-7]{12}$/);
    expect(await rowOf(id)).toMatchObject({
      issuerId: "iss-local",
      validitySeconds: 46 * 86_400,
      agentId: null,
      lastError: "",
      archivedAt: null,
    });
  });

  test("has its names in canonical form, each once, the common name among them", async () => {
    const sans = ["WWW.Example.", "2001:DB8:0:0::1", "bücher.example", "www.example", "Ops@Example.COM"];
    const id = await created({ commonName: "WWW.example", sans });
    expect(await rowOf(id)).toMatchObject({
      commonName: "www.example",
      sans: ["www.example", "2001:db8::1", "xn--bcher-kva.example", "Ops@example.com"],
    });
  });

  test("may have an id of the caller's choice", async () => {
    expect(await created({}, "mc-shop")).toBe("mc-shop");
  });

  test("is written down with who did it, in the same transaction", async () => {
    const id = await created({ name: "audited" });
    const [event] = await auditOf(id);
    expect(event).toMatchObject({
      action: "certificate_created",
      actor: operator.id,
      actorType: "APIKey",
      requestId: operator.requestId,
      resourceType: "certificate",
    });
    expect(event?.details).toMatchObject({ name: "audited", sans: ["site.example"], target_ids: [] });
  });
});

describe("a declaration is refused", () => {
  test("with an id that is taken", async () => {
    const id = await created({});
    expect(await refusalOf(created({}, id))).toMatchObject({ code: "AlreadyExists" });
  });

  test("with an id that was archived: ids are never used again", async () => {
    const id = await created({});
    await archiveCertificate(plane, operator, id);
    expect(await refusalOf(created({}, id))).toMatchObject({ code: "AlreadyExists" });
  });

  test("with a name that a live certificate has", async () => {
    await created({ name: "taken" });
    const refusal = { code: "FailedPrecondition", reason: "NAME_TAKEN", fields: ["name"] };
    expect(await refusalOf(created({ name: "taken" }))).toMatchObject(refusal);
    const other = await created({});
    expect(await refusalOf(updated(other, { name: "taken" }))).toMatchObject(refusal);
  });

  test("naming everything that does not exist at once", async () => {
    const agent = await newAgent(plane);
    const targetId = await newTarget(plane, agent);
    const wanted = { issuerId: "iss-no", agentId: "ag-no", targetIds: ["tgt-no", targetId, "tgt-none"] };
    expect(await refusalOf(created(wanted))).toMatchObject({
      code: "InvalidArgument",
      fields: ["issuer_id", "agent_id", "target_ids[0]", "target_ids[2]"],
    });
  });

  test("naming every name that is none at once", async () => {
    const sans = ["ok.example", "under_score.example", "*.com"];
    const refusal = await refusalOf(created({ commonName: "not a name", sans }));
    expect(refusal).toMatchObject({ code: "InvalidArgument", fields: ["common_name", "sans[1]", "sans[2]"] });
  });

  test("for a common name that is longer than 64 characters in canonical form", async () => {
    const commonName = `${"äöüß".repeat(4)}.${"ñéèà".repeat(4)}.${"çîôû".repeat(4)}.example`;
    expect(commonName.length).toBeLessThanOrEqual(64);
    expect(await refusalOf(created({ commonName }))).toMatchObject({ fields: ["common_name"] });
  });

  test("for the control plane's own name", async () => {
    const refusal = await refusalOf(created({ sans: ["CertCtl.example."] }));
    expect(refusal).toMatchObject({ code: "InvalidArgument", fields: ["sans"] });
    expect(refusal.message).toContain("speaks for certctl.example, which is this control plane");
  });

  test("for the name of an agent, however it is written", async () => {
    const { trustDomain } = plane.reserved;
    for (const uri of [`spiffe://${trustDomain}/agent/ag-x`, `SPIFFE://${trustDomain.toUpperCase()}/x`]) {
      const refusal = await refusalOf(created({ sans: [uri] }));
      expect(refusal.message).toContain("names an agent of this control plane");
    }
    await expect(created({ sans: ["spiffe://another.example/agent/ag-x"] })).resolves.toMatch(/^mc-/);
  });

  test("for a target that is archived", async () => {
    const targetId = await newTarget(plane, await newAgent(plane));
    await plane.db.target.update({ where: { id: targetId }, data: { archivedAt: plane.time.now } });
    expect(await refusalOf(created({ targetIds: [targetId] }))).toMatchObject({ fields: ["target_ids[0]"] });
  });

  test("leaving nothing behind when its audit row cannot be written", async () => {
    await using _refused = await refuseRows(plane, "audit_events", "details->>'name' = 'unaudited'");
    await expect(created({ name: "unaudited" })).rejects.toThrow("refused");
    expect(await plane.db.managedCertificate.count({ where: { name: "unaudited" } })).toBe(0);
  });
});

describe("an update", () => {
  test("replaces what the certificate is to be", async () => {
    const agent = await newAgent(plane);
    const id = await created({ sans: ["old.example"] });
    const changes = {
      name: "renamed",
      commonName: "new.example",
      agentId: agent.id,
      keyAlgorithm: "RSA-3072",
    };
    await updated(id, { ...changes, validitySeconds: 86_400 });
    expect(await rowOf(id)).toMatchObject({ ...changes, sans: ["new.example"], validitySeconds: 86_400 });
    expect((await auditOf(id)).map(({ action }) => action)).toEqual([
      "certificate_created",
      "certificate_updated",
    ]);
  });

  test("binds new targets and releases old ones", async () => {
    const agent = await newAgent(plane);
    const [kept, dropped, added] = [
      await newTarget(plane, agent),
      await newTarget(plane, agent),
      await newTarget(plane, agent),
    ];
    const id = await created({ targetIds: [kept, dropped] });
    await updated(id, { targetIds: [added, kept] });
    const bound = await plane.db.certificateTarget.findMany({ where: { certificateId: id } });
    expect(bound.map(({ targetId }) => targetId).sort()).toEqual([kept, added].sort());
    expect(await plane.db.job.count({ where: { certificateId: id } })).toBe(0);
  });

  test("deploys the current version to targets that are new, once", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    const version = await issueVersion(plane, agent, id);
    const targetId = await newTarget(plane, agent);
    const name = (await rowOf(id)).name;
    await updated(id, { name, targetIds: [targetId] });
    await updated(id, { name, targetIds: [targetId] });
    const { id: jobId } = await claimOne(plane, agent);
    const job = await plane.db.job.findUniqueOrThrow({ where: { id: jobId } });
    expect(job).toMatchObject({ type: "Deployment", versionId: version.id, targetId, generation: 1 });
  });

  test("of what does not exist or is archived is refused", async () => {
    expect(await refusalOf(updated("mc-none", {}))).toMatchObject({ code: "NotFound" });
    const id = await created({});
    await archiveCertificate(plane, operator, id);
    const refusal = { code: "FailedPrecondition", reason: "ARCHIVED" };
    expect(await refusalOf(updated(id, {}))).toMatchObject(refusal);
  });
});

describe("archiving", () => {
  test("is done once and frees the name", async () => {
    const id = await created({ name: "freed" });
    await archiveCertificate(plane, operator, id);
    const { archivedAt } = await rowOf(id);
    expect(archivedAt).toEqual(plane.time.now);
    await archiveCertificate(plane, operator, id);
    expect((await auditOf(id)).filter(({ action }) => action === "certificate_archived")).toHaveLength(1);
    await expect(created({ name: "freed" })).resolves.not.toBe(id);
  });

  test("is refused while a job is open", async () => {
    const agent = await newAgent(plane);
    const id = await created({ agentId: agent.id });
    await openIssuance(plane, agent, id);
    const refusal = await refusalOf(archiveCertificate(plane, operator, id));
    expect(refusal).toMatchObject({ code: "FailedPrecondition", reason: "IN_USE", fields: ["open_jobs"] });
  });

  test("of what does not exist is refused", async () => {
    expect(await refusalOf(archiveCertificate(plane, operator, "mc-none"))).toMatchObject({
      code: "NotFound",
    });
  });
});
