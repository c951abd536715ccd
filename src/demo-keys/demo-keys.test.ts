import { createPrivateKey } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  endLease,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  operator,
  refusalOf,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import type { AgentPrincipal } from "../auth/principal.ts";
import { archiveCertificate } from "../certificates/declare.ts";
import { issue } from "../certificates/issue.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { retryJob } from "../jobs/retry-by-hand.ts";
import { readCsr } from "../x509/csr.ts";
import { keyAlgorithmOf, spkiOf } from "../x509/keys.ts";
import { fetchServerKey } from "./fetch.ts";
import { makeServerKey } from "./make.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeEach(async () => {
  plane = await openControlPlane();
  await plane.db.installation.updateMany({ data: { keygenMode: "server" } });
  agent = await newAgent(plane);
});
afterEach(() => plane[Symbol.asyncDispose]());

const { signal } = new AbortController();
const jobOf = (id: string) => plane.db.job.findUniqueOrThrow({ where: { id } });

/** The agent as its client certificate names it. */
async function overMutualTls(): Promise<AgentPrincipal> {
  const authorityId = plane.authorities.byRole["agent-ca"].id;
  const notAfter = new Date(plane.time.now.getTime() + 86_400_000);
  await plane.db.agentIdentity.create({
    data: {
      authorityId,
      serial: "01",
      agentId: agent.id,
      spkiSha256: new Uint8Array([1]),
      certificate: new Uint8Array([1]),
      notAfter,
    },
  });
  return {
    kind: "agent",
    id: agent.id,
    credential: { kind: "certificate", authorityId, serial: "01", notAfter },
  };
}

async function made(changes: Parameters<typeof newCertificate>[1] = {}) {
  const targetIds = [await newTarget(plane, agent)];
  const certificateId = await newCertificate(plane, { targetIds, keyAlgorithm: "RSA-2048", ...changes });
  const [jobId = ""] = await renewCertificate(plane, operator, certificateId);
  await makeServerKey(plane, jobId);
  return { certificateId, jobId };
}

describe("with keys of the control plane", () => {
  test("an issuance waits for no agent: the key is made, sealed, and its CSR signed", async () => {
    const { certificateId, jobId } = await made();
    const job = await jobOf(jobId);
    expect(job).toMatchObject({ status: "Running", attempts: 1, keygen: "server" });
    expect(readCsr(Buffer.from(job.csr ?? [])).keyAlgorithm).toBe("RSA-2048");
    const kept = await plane.db.serverKey.findUniqueOrThrow({ where: { id: jobId } });
    expect(Buffer.from(kept.sealedKey).includes(Buffer.from("PRIVATE"))).toBe(false);
    await issue(plane, jobId, signal);
    expect(await plane.db.certificateVersion.count({ where: { certificateId } })).toBe(1);
  });

  test("a task that is done twice makes one key", async () => {
    const { jobId } = await made();
    const before = await jobOf(jobId);
    await Promise.all([makeServerKey(plane, jobId), makeServerKey(plane, jobId)]);
    expect((await jobOf(jobId)).spkiSha256).toEqual(before.spkiSha256);
    expect(await plane.db.serverKey.count()).toBe(1);
  });

  test("the key is of the algorithm that the certificate says", async () => {
    const { jobId } = await made({ keyAlgorithm: "ECDSA-P384" });
    expect(readCsr(Buffer.from((await jobOf(jobId)).csr ?? [])).keyAlgorithm).toBe("ECDSA-P384");
  });

  test("no CA but the local one signs", async () => {
    await plane.db.issuer.create({ data: { id: "iss-real", name: "real", kind: "other", config: {} } });
    const certificateId = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
    await plane.db.managedCertificate.update({
      where: { id: certificateId },
      data: { issuerId: "iss-real" },
    });
    const [jobId = ""] = await renewCertificate(plane, operator, certificateId);
    await makeServerKey(plane, jobId);
    expect(await jobOf(jobId)).toMatchObject({
      status: "Failed",
      failureClass: "Configuration",
      errorStep: "key",
    });
  });
});

describe("the key of a deployment", () => {
  async function deployment() {
    const { jobId } = await made();
    await issue(plane, jobId, signal);
    const version = await plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId } });
    return { version, job: await claimOne(plane, agent), principal: await overMutualTls() };
  }
  const fetch = (principal: AgentPrincipal, job: { id: string; leaseId: string }) =>
    fetchServerKey(plane, { principal, actor: agent.caller.actor }, { jobId: job.id, leaseId: job.leaseId });

  test("is handed to its live lease, as often as the answer is lost, and to no other", async () => {
    const { version, job, principal } = await deployment();
    const pem = await fetch(principal, job);
    const key = createPrivateKey(pem);
    expect(keyAlgorithmOf(key)).toBe("RSA-2048");
    const { spkiSha256, csr } = await jobOf(version.jobId);
    expect(spkiSha256).not.toBeNull();
    expect(readCsr(Buffer.from(csr ?? [])).spki.equals(spkiOf(key))).toBe(true);
    expect(await fetch(principal, job)).toBe(pem);
    await endLease(plane, job.id);
    expect(await refusalOf(fetch(principal, job))).toMatchObject({ reason: "LEASE_LOST" });
    const again = await claimOne(plane, agent);
    expect(await refusalOf(fetch(principal, again))).toMatchObject({ reason: "KEY_FETCHED" });
    const audits = await plane.db.auditEvent.findMany({ where: { action: "server_key_fetched" } });
    expect(audits.length).toBe(2);
  });

  test("is handed out over mutual TLS only, to the job's own agent", async () => {
    const { job, principal } = await deployment();
    expect(await refusalOf(fetch(agent.caller.principal, job))).toMatchObject({ code: "PermissionDenied" });
    const other = await newAgent(plane);
    expect(await refusalOf(fetch({ ...principal, id: other.id }, job))).toMatchObject({
      reason: "LEASE_LOST",
    });
  });

  test("is gone from the control plane once its certificate is proven", async () => {
    const { version, job, principal } = await deployment();
    await fetch(principal, job);
    await report(plane, agent, job, succeeded(version.fingerprintSha256));
    expect(await plane.db.serverKey.count()).toBe(0);
  });
});

describe("a key that nobody will fetch is gone from the control plane", () => {
  const kept = () => plane.db.serverKey.count();

  test("when its issuance is cancelled, and when it fails for good", async () => {
    const { jobId } = await made();
    await cancelJob(plane, operator, jobId);
    expect(await kept()).toBe(0);
    await plane.db.issuer.updateMany({ data: { enabled: false } });
    await retryJob(plane, operator, jobId);
    await makeServerKey(plane, jobId);
    expect(await kept()).toBe(1);
    await issue(plane, jobId, signal);
    expect(await jobOf(jobId)).toMatchObject({ status: "Failed" });
    expect(await kept()).toBe(0);
  });

  test("when a newer version takes its place, and when its certificate is archived", async () => {
    const { certificateId, jobId } = await made({ targetIds: [], agentId: agent.id });
    await issue(plane, jobId, signal);
    const [next = ""] = await renewCertificate(plane, operator, certificateId);
    await makeServerKey(plane, next);
    await issue(plane, next, signal);
    expect(await plane.db.serverKey.findMany()).toMatchObject([{ jobId: next }]);
    await archiveCertificate(plane, operator, certificateId);
    expect(await kept()).toBe(0);
  });
});
