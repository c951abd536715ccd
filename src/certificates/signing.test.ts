import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  newAgent,
  newCertificate,
  newCsr,
  openControlPlane,
  openIssuance,
  refusalOf,
  type TestAgent,
} from "../../test/fixtures.ts";
import { refuseRows } from "../../test/refuse-rows.ts";
import type { Claimed } from "../jobs/lease.ts";
import { resumeSigning } from "../jobs/reclaim.ts";
import { issue } from "./issue.ts";
import { createSigning, type Signing } from "./signing.ts";

let plane: ControlPlane;
let signing: Signing;
let agent: TestAgent;
const { signal } = new AbortController();

beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  signing = createSigning(plane, signal);
  agent = await newAgent(plane, 50);
});

async function awaited(): Promise<Claimed> {
  return openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
}

const submit = ({ id: jobId, leaseId }: Claimed, csr = newCsr(["site.example"])) =>
  signing.submit(agent.caller, { jobId, leaseId, csrPem: csr.csrPem });
const settled = () => signing[Symbol.asyncDispose]();
const jobOf = (id: string) =>
  plane.db.job.findUniqueOrThrow({ where: { id }, include: { events: { orderBy: { id: "asc" } } } });
const versionOf = (jobId: string) => plane.db.certificateVersion.findUnique({ where: { jobId } });
const queued = (id: string) => plane.db.$queryRaw<unknown[]>`
  SELECT 1 FROM graphile_worker.jobs WHERE key = ${`issue:${id}`}`;

describe("a CSR for certctl's own CA", () => {
  test("is signed by who took it, without a task, with every step, audit row and record of the long way", async () => {
    const [here, there] = [await awaited(), await awaited()];
    await submit(here);
    await settled();
    const { csrPem } = newCsr(["site.example"]);
    const other = { jobId: there.id, leaseId: there.leaseId, csrPem };
    await createSigning({ ...plane, issuerKinds: new Map() }, signal).submit(agent.caller, other);
    expect(await queued(here.id)).toHaveLength(0);
    expect(await queued(there.id)).toHaveLength(1);
    await issue(plane, there.id, signal);
    const [quick, slow] = [await jobOf(here.id), await jobOf(there.id)];
    expect(quick).toMatchObject({ status: "Completed", attempts: 1, leaseExpiresAt: null });
    expect(quick.events.map(({ step, attempt }) => [step, attempt])).toEqual(
      slow.events.map(({ step, attempt }) => [step, attempt]),
    );
    const audited = async ({ id, certificateId }: typeof quick) => {
      const where = { resourceId: { in: [id, certificateId] } };
      const rows = await plane.db.auditEvent.findMany({ where, orderBy: { position: "asc" } });
      return rows.map(({ action, actor, actorType }) => [action, actor, actorType]);
    };
    expect(await audited(quick)).toEqual(await audited(slow));
    for (const { id } of [here, there])
      expect(await plane.db.issuance.findUniqueOrThrow({ where: { keyId: id } })).toMatchObject({
        serial: (await versionOf(id))?.serial,
      });
  });

  test("is signed among many, each under its own key, and one that is refused takes no other with it", async () => {
    const jobs: Claimed[] = [];
    while (jobs.length < 30) jobs.push(await awaited());
    const again = newCsr(["site.example"]);
    const csrs = jobs.map((_, index) =>
      index < 2 ? again : newCsr([index === 2 ? "other.example" : "site.example"]),
    );
    const answers = await Promise.all(
      jobs.map((job, index) =>
        submit(job, csrs[index]).then(
          () => "accepted",
          (error: Error) => refusalOf(Promise.reject(error)).then(({ reason }) => reason),
        ),
      ),
    );
    await settled();
    expect(answers.filter((answer) => answer === "accepted")).toHaveLength(28);
    expect(answers.filter((answer) => answer === "KEY_REUSED")).toHaveLength(1);
    expect(answers[2]).toBe("CSR_MISMATCH");
    const versions = await Promise.all(jobs.map(({ id }) => versionOf(id)));
    expect(versions.map((version) => version !== null)).toEqual(
      answers.map((answer) => answer === "accepted"),
    );
    expect(new Set(versions.flatMap((version) => version?.serial ?? [])).size).toBe(28);
  });

  test("that is sent again is accepted again, and signed once", async () => {
    const job = await awaited();
    const csr = newCsr(["site.example"]);
    const [first, second] = await Promise.all([submit(job, csr), submit(job, csr)]);
    await settled();
    expect(second).toBe(first);
    expect(await submit(job, csr)).toBe(first);
    await settled();
    expect(await plane.db.certificateVersion.count({ where: { jobId: job.id } })).toBe(1);
  });

  test("is left to the task where signing or publishing fails, and the job fails as it would otherwise", async () => {
    const job = await awaited();
    {
      await using _ = await refuseRows(plane, "certificate_versions", "true");
      await submit(job);
      await settled();
    }
    expect(await queued(job.id)).toHaveLength(1);
    expect(await jobOf(job.id)).toMatchObject({ status: "Running" });
    await issue(plane, job.id, signal);
    expect((await versionOf(job.id))?.serial).toBe(
      (await plane.db.issuance.findUniqueOrThrow({ where: { keyId: job.id } })).serial,
    );
    const disabled = await awaited();
    await plane.db.issuer.update({ where: { id: "iss-local" }, data: { enabled: false } });
    await submit(disabled);
    await settled();
    await issue(plane, disabled.id, signal);
    await plane.db.issuer.update({ where: { id: "iss-local" }, data: { enabled: true } });
    expect(await jobOf(disabled.id)).toMatchObject({ status: "Failed", failureClass: "Configuration" });
  });

  test("whose server dies after it was accepted is found by the sweep", async () => {
    const job = await awaited();
    const never = { ...plane, issuerKinds: new Map([...plane.issuerKinds]) };
    const local = plane.issuerKinds.get("local-ca");
    if (!local) throw new Error("there is no local CA");
    never.issuerKinds.set("local-ca", { ...local, issue: () => new Promise(() => {}) });
    const { csrPem } = newCsr(["site.example"]);
    await createSigning(never, signal).submit(agent.caller, { jobId: job.id, leaseId: job.leaseId, csrPem });
    expect(await queued(job.id)).toHaveLength(0);
    await resumeSigning(plane.db, 0, plane.time.now);
    expect(await queued(job.id)).toHaveLength(1);
    await issue(plane, job.id, signal);
    expect(await versionOf(job.id)).not.toBeNull();
  });
});
