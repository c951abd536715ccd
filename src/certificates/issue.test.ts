import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  dayMs,
  declaration,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { refuseRows } from "../../test/refuse-rows.ts";
import type { Claimed } from "../jobs/lease.ts";
import { advanceJob } from "../jobs/sweep.ts";
import { spkiOf } from "../x509/keys.ts";
import { fromPem } from "../x509/pem.ts";
import { updateCertificate } from "./declare.ts";
import { issue } from "./issue.ts";
import { planRenewal } from "./plan.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();
const jobOf = (id: string) => plane.db.job.findUniqueOrThrow({ where: { id } });
const versionsOf = (certificateId: string) =>
  plane.db.certificateVersion.findMany({ where: { certificateId } });
const deploymentsOf = (parentJobId: string) => plane.db.job.findMany({ where: { parentJobId } });

/** A job whose CSR was accepted. */
async function accepted(
  agent: TestAgent,
  certificateId: string,
  csr = newCsr(["site.example"]),
): Promise<Claimed> {
  const job = await openIssuance(plane, agent, certificateId);
  await submitCsr(plane, agent, job, csr);
  return job;
}

describe("an issuance", () => {
  test("ends with a version that says what was signed", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const csr = newCsr(["site.example"]);
    const version = await issueVersion(plane, agent, certificateId, csr);
    const [leafDer, issuerDer] = fromPem("CERTIFICATE", version.pemChain);
    const leaf = new X509Certificate(leafDer ?? "");
    const { authorities } = plane;
    expect(issuerDer).toEqual(authorities.byRole["issuing-ca"].der);
    expect(new X509Certificate(version.rootPem).raw).toEqual(authorities.byRole["issuing-root"].der);
    expect(leaf.publicKey.export({ type: "spki", format: "der" })).toEqual(spkiOf(csr.key));
    expect(version).toMatchObject({
      agentId: agent.id,
      issuerId: "iss-local",
      authorityId: authorities.byRole["issuing-ca"].id,
      serial: leaf.serialNumber,
      fingerprintSha256: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
      sans: ["site.example"],
      csrPem: csr.csrPem,
      notBefore: new Date(leaf.validFrom),
      notAfter: new Date(leaf.validTo),
    });
    expect(await jobOf(version.jobId)).toMatchObject({ status: "Completed", versionId: version.id });
  });

  test("opens a deployment for each target of its own agent", async () => {
    const [agent, other] = [await newAgent(plane), await newAgent(plane)];
    const own = [await newTarget(plane, agent), await newTarget(plane, agent)];
    const certificateId = await newCertificate(plane, { targetIds: [...own, await newTarget(plane, other)] });
    await plane.db.agent.update({ where: { id: agent.id }, data: { maxInFlight: 1 } });
    const version = await issueVersion(plane, agent, certificateId);
    const jobs = await deploymentsOf(version.jobId);
    expect(jobs.map(({ targetId }) => targetId).sort()).toEqual(own.sort());
    for (const job of jobs)
      expect(job).toMatchObject({ status: "Pending", versionId: version.id, generation: 1 });
  });

  test("is written down, and nothing of it is kept when that fails", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
    const job = await accepted(agent, certificateId);
    {
      await using _refused = await refuseRows(plane, "audit_events", "action = 'certificate_issued'");
      await issue(plane, job.id, signal);
    }
    expect(await versionsOf(certificateId)).toEqual([]);
    expect(await deploymentsOf(job.id)).toEqual([]);
    expect(await jobOf(job.id)).toMatchObject({ status: "Pending", errorStep: "sign" });
    await signAgain(job);
    const [version] = await versionsOf(certificateId);
    const where = { resourceId: certificateId, action: "certificate_issued" };
    const event = await plane.db.auditEvent.findFirstOrThrow({ where });
    expect(event).toMatchObject({ actorType: "System", details: { version_id: version?.id } });
  });

  test("makes one version however often it is done", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
    const job = await accepted(agent, certificateId);
    await Promise.all(Array.from({ length: 4 }, () => issue(plane, job.id, signal)));
    await issue(plane, job.id, signal);
    expect(await versionsOf(certificateId)).toHaveLength(1);
    expect(await deploymentsOf(job.id)).toHaveLength(1);
    expect(await plane.db.issuance.count({ where: { jobId: job.id } })).toBe(1);
  });

  test("does nothing before the CSR is there", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const job = await openIssuance(plane, agent, certificateId);
    await issue(plane, job.id, signal);
    expect(await jobOf(job.id)).toMatchObject({ status: "AwaitingCSR" });
  });

  test("signs at the next attempt what was recorded at the first", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const job = await accepted(agent, certificateId);
    {
      await using _refused = await refuseRows(plane, "certificate_versions", "true");
      await issue(plane, job.id, signal);
    }
    const { serial } = await plane.db.issuance.findUniqueOrThrow({ where: { keyId: job.id } });
    await signAgain(job);
    expect((await versionsOf(certificateId)).map((version) => version.serial)).toEqual([serial]);
  });
});

/** The attempt that was planned after a failure. */
async function signAgain({ id }: Claimed): Promise<void> {
  plane.time.now = new Date(plane.time.now.getTime() + dayMs);
  await advanceJob(plane.db, id, plane.time.now);
  await issue(plane, id, signal);
}

describe("a signing that fails", () => {
  test("for good ends the job and shows on the certificate", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    await plane.db.issuer.create({ data: { id: "iss-odd", name: "odd", kind: "odd", config: {} } });
    await plane.db.managedCertificate.update({ where: { id: certificateId }, data: { issuerId: "iss-odd" } });
    const job = await accepted(agent, certificateId);
    await issue(plane, job.id, signal);
    expect(await jobOf(job.id)).toMatchObject({ status: "Failed", errorStep: "issuer" });
    const { lastError } = await plane.db.managedCertificate.findUniqueOrThrow({
      where: { id: certificateId },
    });
    expect(lastError).toContain("no issuer of the kind odd");
  });

  test("again and again is given up after the job's attempts, and no more are counted", async () => {
    const agent = await newAgent(plane);
    const job = await accepted(agent, await newCertificate(plane, { agentId: agent.id }));
    await plane.db.job.update({ where: { id: job.id }, data: { csr: Buffer.from("no CSR") } });
    let signings = 0;
    for (; (await jobOf(job.id)).completedAt === null; signings += 1) await signAgain(job);
    const { status, attempts, maxAttempts, errorMessage } = await jobOf(job.id);
    expect({ status, attempts, signings }).toEqual({
      status: "Failed",
      attempts: maxAttempts,
      signings: maxAttempts,
    });
    expect(errorMessage).toBe("internal error while signing; the server's log has it");
  });

  test("is forgotten with the next success", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const where = { id: certificateId };
    await plane.db.managedCertificate.update({ where, data: { lastError: "sign: it did not" } });
    await issueVersion(plane, agent, certificateId);
    expect((await plane.db.managedCertificate.findUniqueOrThrow({ where })).lastError).toBe("");
  });
});

describe("names that change while a certificate is being issued", () => {
  test("take effect at the next issuance", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const job = await accepted(agent, certificateId);
    const changes = declaration({ agentId: agent.id, sans: ["later.example"] });
    await updateCertificate(plane, operator, certificateId, changes);
    await issue(plane, job.id, signal);
    const [version] = await versionsOf(certificateId);
    expect(version?.sans).toEqual(["site.example"]);
  });

  test("do not stop a signing that was recorded before", async () => {
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const job = await accepted(agent, certificateId);
    {
      await using _refused = await refuseRows(plane, "certificate_versions", "true");
      await issue(plane, job.id, signal);
    }
    const changes = declaration({ agentId: agent.id, commonName: "other.example" });
    await updateCertificate(plane, operator, certificateId, changes);
    await signAgain(job);
    expect(await jobOf(job.id)).toMatchObject({ status: "Completed" });
  });
});

describe("the planned renewal", () => {
  const notBefore = new Date("2030-01-01T00:00:00Z");
  const inDays = (days: number) => new Date(notBefore.getTime() + days * dayMs);
  test.each([
    [6, 4],
    [46, 46 - 46 / 3],
    [90, 60],
    [91, 61],
    [398, 368],
  ])("of a certificate for %i days is due after %f", (days, due) => {
    expect(planRenewal(notBefore, inDays(days), 30)).toEqual(inDays(due));
  });

  test("is stored with the version", async () => {
    const agent = await newAgent(plane);
    const version = await issueVersion(plane, agent, await newCertificate(plane, { agentId: agent.id }));
    expect(version.renewAt).toEqual(planRenewal(version.notBefore, version.notAfter, 30));
  });
});
