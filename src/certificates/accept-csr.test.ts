import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  endLease,
  newAgent,
  newCertificate,
  newCsr,
  openControlPlane,
  openIssuance,
  operator,
  refusalOf,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { enroll } from "../agents/enroll.ts";
import { createJoinToken } from "../agents/register.ts";
import type { Claimed } from "../jobs/lease.ts";
import { sha256 } from "../x509/keys.ts";
import { acceptCsr } from "./accept-csr.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

async function awaited(sans: string[] = []): Promise<{ agent: TestAgent; job: Claimed }> {
  const agent = await newAgent(plane);
  const certificateId = await newCertificate(plane, { agentId: agent.id, sans });
  return { agent, job: await openIssuance(plane, agent, certificateId) };
}

const jobOf = (id: string) => plane.db.job.findUniqueOrThrow({ where: { id } });
const mismatch = { code: "FailedPrecondition", reason: "CSR_MISMATCH", fields: ["csr_pem"] };
const lost = { code: "Aborted", reason: "LEASE_LOST" };
const reused = { code: "FailedPrecondition", reason: "KEY_REUSED", fields: ["csr_pem"] };

describe("a CSR that asks for what the certificate is to be", () => {
  test("is kept, ends the lease and sets the signing going", async () => {
    const { agent, job } = await awaited(["www.example"]);
    const csr = newCsr(["WWW.example.", "site.example"], { commonName: "site.example" });
    const hash = sha256(csr.der).toString("hex");
    const { id: jobId, leaseId } = job;
    expect(await acceptCsr(plane.db, agent.caller, { jobId, leaseId, csrPem: csr.csrPem })).toBe(hash);
    const row = await jobOf(job.id);
    expect(row).toMatchObject({
      status: "Running",
      attempts: 1,
      leaseExpiresAt: null,
      resultLeaseId: leaseId,
    });
    expect(Buffer.from(row.csr ?? [])).toEqual(csr.der);
    const [task] = await plane.db.$queryRaw<unknown[]>`
      SELECT 1 FROM graphile_worker.jobs WHERE key = ${`issue:${jobId}`}`;
    expect(task).toBeDefined();
    const where = { resourceId: jobId, action: "csr_accepted" };
    const event = await plane.db.auditEvent.findFirstOrThrow({ where });
    expect(event).toMatchObject({ actor: agent.id, actorType: "Agent", details: { csr_sha256: hash } });
  });

  test("is accepted again after its lease is gone", async () => {
    const { agent, job } = await awaited();
    const csr = newCsr(["site.example"]);
    await submitCsr(plane, agent, job, csr);
    const before = await jobOf(job.id);
    await submitCsr(plane, agent, { ...job, leaseId: "another" }, csr);
    expect(await jobOf(job.id)).toEqual(before);
  });

  test("is accepted without a lease id from the agent that holds the lease", async () => {
    const { agent, job } = await awaited();
    await submitCsr(plane, agent, { ...job, leaseId: "" });
    expect(await jobOf(job.id)).toMatchObject({ status: "Running" });
  });
});

describe("a CSR is refused", () => {
  test("for another name, in the words of the difference", async () => {
    const { agent, job } = await awaited();
    const refusal = await refusalOf(submitCsr(plane, agent, job, newCsr(["site.example", "more.example"])));
    expect(refusal).toMatchObject(mismatch);
    expect(refusal.message).toContain("dns:more.example");
    expect(await jobOf(job.id)).toMatchObject({ status: "AwaitingCSR", attempts: 0, csr: null });
  });

  test("that is no PEM, or two", async () => {
    const { agent, job } = await awaited();
    const csr = newCsr(["site.example"]);
    const texts = ["", "hello", csr.csrPem + newCsr(["site.example"]).csrPem];
    for (const csrPem of texts) {
      const refusal = await refusalOf(submitCsr(plane, agent, job, { ...csr, csrPem }));
      expect(refusal).toMatchObject({ code: "InvalidArgument", fields: ["csr_pem"] });
    }
  });

  test("that cannot be read", async () => {
    const { agent, job } = await awaited();
    const csrPem = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
    const refusal = await refusalOf(submitCsr(plane, agent, job, { ...newCsr([]), csrPem }));
    expect(refusal).toMatchObject(mismatch);
  });

  test("from another agent", async () => {
    const { job } = await awaited();
    const other = await newAgent(plane);
    expect(await refusalOf(submitCsr(plane, other, job))).toMatchObject(lost);
    expect(await refusalOf(submitCsr(plane, other, { ...job, leaseId: "" }))).toMatchObject(lost);
  });

  test("after the lease ran out, and under a lease that was given out before", async () => {
    const { agent, job } = await awaited();
    await endLease(plane, job.id);
    expect(await refusalOf(submitCsr(plane, agent, job))).toMatchObject(lost);
    await claimOne(plane, agent);
    expect(await refusalOf(submitCsr(plane, agent, job))).toMatchObject(lost);
  });

  test("when another one was accepted", async () => {
    const { agent, job } = await awaited();
    await submitCsr(plane, agent, job);
    const refusal = await refusalOf(submitCsr(plane, agent, job, newCsr(["site.example"])));
    expect(refusal).toMatchObject({ code: "FailedPrecondition", reason: "CSR_EXISTS" });
  });

  test("from an agent whose credential has ended meanwhile", async () => {
    const { agent, job } = await awaited();
    await plane.db.apiKey.deleteMany({ where: { agentId: agent.id } });
    const refusal = await refusalOf(submitCsr(plane, agent, job));
    expect(refusal).toMatchObject({ code: "Unauthenticated", reason: "IDENTITY_ENDED" });
  });
});

describe("a key has one use", () => {
  test("not in two jobs", async () => {
    const [first, second] = [await awaited(), await awaited()];
    const csr = newCsr(["site.example"]);
    await submitCsr(plane, first.agent, first.job, csr);
    expect(await refusalOf(submitCsr(plane, second.agent, second.job, csr))).toMatchObject(reused);
    expect(await jobOf(second.job.id)).toMatchObject({ status: "AwaitingCSR", attempts: 0 });
  });

  test("not in two jobs at the same moment", async () => {
    const deliveries = [await awaited(), await awaited(), await awaited()];
    const csr = newCsr(["site.example"]);
    const results = await Promise.all(
      deliveries.map(({ agent, job }) =>
        submitCsr(plane, agent, job, csr).then(
          () => "accepted",
          async (error) => (await refusalOf(Promise.reject(error))).reason,
        ),
      ),
    );
    expect(results.sort()).toEqual(["KEY_REUSED", "KEY_REUSED", "accepted"]);
  });

  test("not in an agent's identity and a certificate", async () => {
    const { agent, job } = await awaited();
    const csr = newCsr(["site.example"]);
    const { token } = await createJoinToken(plane, operator, { agentId: "", maxUses: 1, ttlSeconds: 0 });
    await enroll(plane, "req", { token, csrPem: csr.csrPem, name: "", hostname: "" });
    expect(await refusalOf(submitCsr(plane, agent, job, csr))).toMatchObject(reused);
  });

  test("not in a CA and a certificate", async () => {
    const { agent, job } = await awaited();
    const { key } = plane.authorities.byRole["issuing-ca"];
    const refusal = await refusalOf(submitCsr(plane, agent, job, newCsr(["site.example"], { key })));
    expect(refusal).toMatchObject(reused);
  });
});
