import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ControlPlane,
  claimOne,
  dayMs,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  report,
  submitCsr,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { defineIssuer, IssuerError, type RevocationReason, type RevokeRequest } from "../issuers/issuer.ts";
import { localCa } from "../issuers/local-ca.ts";
import { createIssuer } from "../issuers/manage.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { resumeSigning } from "../jobs/reclaim.ts";
import { retryJob } from "../jobs/retry-by-hand.ts";
import { advanceJob } from "../jobs/sweep.ts";
import { findJob } from "../jobs/view.ts";
import { dueCertificates } from "../renewals/due.ts";
import { fromPem } from "../x509/pem.ts";
import { archiveCertificate } from "./declare.ts";
import { deployCertificate } from "./deploy.ts";
import { performRevocation } from "./perform-revocation.ts";
import { revokeCertificate } from "./revoke.ts";
import { findCertificate } from "./view.ts";

/** A CA elsewhere: signs as the local CA does, and keeps what it was asked to revoke. */
const asked: RevokeRequest[] = [];
let answer: () => Promise<void> = async () => {};
const remote = defineIssuer({
  kind: "remote",
  title: "A CA elsewhere",
  config: z.strictObject({}),
  refuses: () => null,
  rootPem: () => "",
  test: async () => "fine",
  issue: (request, _config, context) => localCa.issue(request, {}, { ...context, issuerId: "iss-local" }),
  async revoke(request) {
    asked.push(request);
    await answer();
  },
});
const mute = defineIssuer({
  kind: "mute",
  title: "A CA that revokes nothing",
  config: z.strictObject({}),
  refuses: () => null,
  rootPem: () => "",
  test: async () => "fine",
  issue: (request, _config, context) => localCa.issue(request, {}, { ...context, issuerId: "iss-local" }),
});

let plane: ControlPlane;
let agent: TestAgent;
let issuerId: string;
let muteId: string;
const { signal } = new AbortController();

beforeAll(async () => {
  plane = await openControlPlane();
  plane.issuerKinds = new Map([...plane.issuerKinds, [remote.kind, remote], [mute.kind, mute]]);
  const wanted = { id: "", config: {}, enabled: true };
  issuerId = await createIssuer(plane, operator, { ...wanted, name: "remote", kind: "remote" });
  muteId = await createIssuer(plane, operator, { ...wanted, name: "mute", kind: "mute" });
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  agent = await newAgent(plane);
  asked.length = 0;
  answer = async () => {};
});

const revoke = (id: string, wish: { versionId?: string; reason?: RevocationReason; force?: boolean } = {}) =>
  revokeCertificate(plane, operator, { id, versionId: "", reason: "Superseded", force: false, ...wish });
const perform = (jobId: string | undefined) => performRevocation(plane, jobId ?? "", signal);
const jobOf = (id: string | undefined) => plane.db.job.findUniqueOrThrow({ where: { id: id ?? "" } });
const versionOf = (id: string) => plane.db.certificateVersion.findUniqueOrThrow({ where: { id } });
const statusOf = async (id: string) =>
  (await findCertificate(plane.db, unrestricted, id, plane.time.now))?.status;
const pass = (ms: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
};

async function prove(fingerprint: string) {
  await report(plane, agent, await claimOne(plane, agent), succeeded(fingerprint));
}

/** A certificate with a first version that its target served, and a second that it serves now. */
async function replaced() {
  const id = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)], issuerId });
  const first = await issueVersion(plane, agent, id);
  await prove(first.fingerprintSha256);
  pass(1_000);
  const second = await issueVersion(plane, agent, id);
  await prove(second.fingerprintSha256);
  return { id, first, second };
}

describe("a revocation", () => {
  test("of a version that was replaced is asked of its issuer, with what it needs to know", async () => {
    const { id, first, second } = await replaced();
    const [jobId] = await revoke(id, { versionId: first.id });
    expect(await versionOf(first.id)).toMatchObject({ revokedAt: null });
    await perform(jobId);
    const [leafDer, issuerDer] = fromPem("CERTIFICATE", first.pemChain);
    expect(asked).toMatchObject([{ serial: first.serial, reason: "Superseded" }]);
    expect(asked[0]?.leafDer).toEqual(leafDer);
    expect(asked[0]?.issuerDer).toEqual(issuerDer);
    expect(await jobOf(jobId)).toMatchObject({ type: "Revocation", status: "Completed", attempts: 1 });
    expect(await versionOf(first.id)).toMatchObject({
      revokedAt: plane.time.now,
      revocationReason: "Superseded",
    });
    expect(await versionOf(second.id)).toMatchObject({ revokedAt: null, revocationReason: "" });
    expect(await statusOf(id)).toBe("Active");
    expect(await findJob(plane.db, unrestricted, jobId ?? "")).toMatchObject({ outcome: "Revoked" });
    const said = await plane.db.auditEvent.findMany({
      where: { resourceId: id },
      orderBy: { position: "asc" },
    });
    expect(said.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["certificate_revocation_requested", "certificate_revoked"]),
    );
  });

  test("is refused while a target serves the version, whatever was issued since", async () => {
    const { id, second } = await replaced();
    expect(await refusalOf(revoke(id, { versionId: second.id }))).toMatchObject({
      reason: "IN_USE",
      message: expect.stringContaining("or send force"),
    });
    expect(await refusalOf(revoke(id))).toMatchObject({ reason: "IN_USE" });
    await issueVersion(plane, agent, id);
    expect(await refusalOf(revoke(id, { versionId: second.id }))).toMatchObject({ reason: "IN_USE" });
    expect(await revoke(id, { versionId: second.id, force: true })).toHaveLength(1);
  });

  test("is refused where an agent has nothing newer, until the certificate is archived", async () => {
    const id = await newCertificate(plane, { agentId: agent.id, issuerId });
    await issueVersion(plane, agent, id);
    expect(await refusalOf(revoke(id))).toMatchObject({ reason: "IN_USE" });
    await archiveCertificate(plane, operator, id);
    const [jobId] = await revoke(id, { reason: "CessationOfOperation" });
    await perform(jobId);
    expect(asked).toHaveLength(1);
  });

  test("of a compromised key is not held back, and blocks the key at once", async () => {
    const id = await newCertificate(plane, { agentId: agent.id, issuerId });
    const csr = newCsr(["site.example"]);
    const version = await issueVersion(plane, agent, id, csr);
    await revoke(id, { reason: "KeyCompromise" });
    const blocked = await plane.db.blockedKey.findMany({ where: { versionId: version.id } });
    expect(blocked).toHaveLength(1);
    await plane.db.job.updateMany({ where: { keyId: version.keyId }, data: { spkiSha256: null } });
    const other = await newCertificate(plane, { agentId: agent.id });
    const job = await openIssuance(plane, agent, other);
    expect(await refusalOf(submitCsr(plane, agent, job, csr))).toMatchObject({ reason: "KEY_REUSED" });
  });

  test("of everything makes the certificate Revoked, and has it replaced unless it is not to exist any more", async () => {
    for (const [reason, isReplaced] of [
      ["KeyCompromise", true],
      ["Superseded", true],
      ["CessationOfOperation", false],
      ["PrivilegeWithdrawn", false],
    ] as const) {
      const id = await newCertificate(plane, { agentId: agent.id, issuerId });
      await issueVersion(plane, agent, id);
      const jobIds = await revoke(id, { reason, force: true });
      for (const jobId of jobIds) await perform(jobId);
      const renewals = await plane.db.job.findMany({ where: { certificateId: id, type: "Renewal" } });
      expect(renewals, reason).toHaveLength(isReplaced ? 1 : 0);
      if (isReplaced) expect(renewals[0]).toMatchObject({ isEarly: false, runAfter: plane.time.now });
      await plane.db.job.updateMany({
        where: { certificateId: id, type: "Renewal" },
        data: { status: "Cancelled" },
      });
      expect(await statusOf(id), reason).toBe("Revoked");
      const due = await dueCertificates(plane.db, plane.time.now, id);
      expect(due, reason).toMatchObject(isReplaced ? [{ isEarly: false, isRevoked: true }] : []);
      pass(1_000);
      await issueVersion(plane, agent, id);
      expect(await statusOf(id), reason).toBe("Active");
    }
  });

  test("asked for twice is one job, and done twice is done once", async () => {
    const { id, first } = await replaced();
    const [jobId] = await revoke(id, { versionId: first.id });
    expect(await revoke(id, { versionId: first.id })).toEqual([jobId]);
    await Promise.all([perform(jobId), perform(jobId)]);
    await perform(jobId);
    expect(await jobOf(jobId)).toMatchObject({ status: "Completed", attempts: 1 });
    expect(
      await plane.db.auditEvent.count({ where: { resourceId: id, action: "certificate_revoked" } }),
    ).toBe(1);
    expect(await refusalOf(revoke(id, { versionId: first.id }))).toMatchObject({ reason: "REVOKED" });
  });

  test("that the issuer refuses is tried again, and once it is given up can be retried by hand", async () => {
    const { id, first } = await replaced();
    answer = () => Promise.reject(new IssuerError("revoke", "the CA is away", "Network"));
    const [jobId] = await revoke(id, { versionId: first.id });
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      pass(7 * 3_600_000);
      await advanceJob(plane.db, jobId ?? "", plane.time.now);
      await perform(jobId);
      expect(await jobOf(jobId)).toMatchObject({ attempts: attempt, errorMessage: "the CA is away" });
    }
    expect(await findJob(plane.db, unrestricted, jobId ?? "")).toMatchObject({
      status: "Failed",
      outcome: "NotRevoked",
    });
    expect(await versionOf(first.id)).toMatchObject({ revokedAt: null });
    answer = async () => {};
    await retryJob(plane, operator, jobId ?? "");
    await perform(jobId);
    expect(await versionOf(first.id)).toMatchObject({ revokedAt: plane.time.now });
  });

  test("whose server died is taken up again", async () => {
    const { id, first } = await replaced();
    const [jobId] = await revoke(id, { versionId: first.id });
    answer = () => new Promise(() => {});
    void perform(jobId);
    await expect.poll(() => asked.length).toBe(1);
    answer = async () => {};
    await plane.db.$executeRaw`SELECT graphile_worker.remove_job(${`revoke:${jobId}`})`;
    await resumeSigning(plane.db, 0, plane.time.now);
    const queued = await plane.db.$queryRaw<
      unknown[]
    >`SELECT 1 FROM graphile_worker.jobs WHERE key = ${`revoke:${jobId}`}`;
    expect(queued).toHaveLength(1);
    await perform(jobId);
    expect(await versionOf(first.id)).toMatchObject({ revocationReason: "Superseded" });
  });

  test("that was cancelled while the CA did it is noted all the same", async () => {
    const { id, first } = await replaced();
    const [jobId] = await revoke(id, { versionId: first.id });
    answer = () => cancelJob(plane, operator, jobId ?? "");
    await perform(jobId);
    expect(await jobOf(jobId)).toMatchObject({ status: "Cancelled" });
    expect(await versionOf(first.id)).toMatchObject({ revokedAt: plane.time.now });
  });

  test("needs an issuer that can, a version that is there, and one that has not ended", async () => {
    const id = await newCertificate(plane, { agentId: agent.id, issuerId: muteId });
    const version = await issueVersion(plane, agent, id);
    expect(await refusalOf(revoke(id, { force: true }))).toMatchObject({ reason: "CANNOT_REVOKE" });
    expect(await refusalOf(revoke(id, { versionId: "cv-none" }))).toMatchObject({ code: "NotFound" });
    const restricted = { ...operator, grants: { teamIds: ["t-other"], issuerIds: [] } };
    const wish = { id, versionId: "", reason: "Superseded", force: false } as const;
    expect(await refusalOf(revokeCertificate(plane, restricted, wish))).toMatchObject({ code: "NotFound" });
    pass(60 * dayMs);
    expect(await refusalOf(revoke(id, { versionId: version.id }))).toMatchObject({ reason: "EXPIRED" });
    expect(await refusalOf(revoke(id))).toMatchObject({ reason: "NOTHING_TO_REVOKE" });
  });
});

describe("a revoked version", () => {
  test("is deployed no more, neither as a rollback nor by a deployment that waits", async () => {
    const { id, first } = await replaced();
    await deployCertificate(plane, operator, { id, versionId: first.id, targetIds: [] });
    const [jobId] = await revoke(id, { versionId: first.id, force: true });
    await perform(jobId);
    const waiting = await plane.db.job.findFirstOrThrow({
      where: { type: "Deployment", versionId: first.id },
      orderBy: { createdAt: "desc" },
    });
    expect(waiting).toMatchObject({ status: "Cancelled" });
    expect(
      await refusalOf(deployCertificate(plane, operator, { id, versionId: first.id, targetIds: [] })),
    ).toMatchObject({
      reason: "REVOKED",
    });
    expect(await refusalOf(retryJob(plane, operator, waiting.id))).toMatchObject({ reason: "REVOKED" });
  });
});
