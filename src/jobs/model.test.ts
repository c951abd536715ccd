import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ReportProgressRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import type { Job } from "#gen/prisma/client.ts";
import {
  type ControlPlane,
  endLease,
  failed,
  hourMs,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  newTarget,
  openControlPlane,
  operator,
  refusalOf,
  report,
  submitCsr,
  succeeded,
} from "../../test/fixtures.ts";
import { issue } from "../certificates/issue.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { type Claimed, claim } from "./lease.ts";
import { reclaimExpired, reclaimFromRestarted, resumePending } from "./reclaim.ts";
import { reportProgress } from "./report.ts";
import { isOpen, jobStatuses } from "./state.ts";
import { advanceJob } from "./sweep.ts";

const roomFor = 2;
const mostAttempts = 2;
const operations = [
  ...[
    "renew",
    "claim",
    "claim",
    "claim",
    "acknowledge",
    "acknowledge",
    "run out",
    "sweep",
    "sweep",
    "restart",
  ],
  ...["csr", "csr", "issue", "issue", "fail for now", "fail for good", "succeed", "succeed"],
] as const;

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

/** The job flow of one agent, and beside it what it should come to: which leases hold. */
async function openWorld() {
  const { db, time } = plane;
  const agent = await newAgent(plane, roomFor);
  const certificates = [
    await newCertificate(plane, { agentId: agent.id }),
    await newCertificate(plane, {
      targetIds: [await newTarget(plane, agent), await newTarget(plane, agent)],
    }),
  ];
  for (const certificateId of certificates) await issueVersion(plane, agent, certificateId);
  const csrs = new Map<string, ReturnType<typeof newCsr>>();
  /** Every lease ever given, and those that hold now, by job. */
  const given: Claimed[] = [];
  const holding = new Map<string, string>();
  const ended = new Map<string, string>();

  const jobOf = (id: string) => db.job.findUniqueOrThrow({ where: { id } });
  const holds = ({ id, leaseId }: Claimed) => holding.get(id) === leaseId;

  async function refusedUnless(isAllowed: boolean, call: Promise<unknown>): Promise<boolean> {
    if (isAllowed) await call;
    else expect((await refusalOf(call)).code).toMatch(/^(Aborted|FailedPrecondition)$/);
    return isAllowed;
  }

  async function result(lease: Claimed, kind: "fail for now" | "fail for good" | "succeed"): Promise<void> {
    const job = await jobOf(lease.id);
    const version = await db.certificateVersion.findUnique({ where: { id: job.versionId ?? "" } });
    const body =
      kind === "succeed" ? succeeded(version?.fingerprintSha256 ?? "") : failed(kind === "fail for now");
    const isRepeated = job.resultLeaseId === lease.leaseId;
    const isLate = isOpen(job.status) && job.leaseId === lease.leaseId;
    const isDeployment = job.type === "Deployment";
    const isAccepted = kind === "succeed" ? isDeployment && (holds(lease) || isLate) : holds(lease);
    await refusedUnless(isRepeated || isAccepted, report(plane, agent, lease, body));
    if (isRepeated) expect(await jobOf(lease.id)).toEqual(job);
    else if (isAccepted) holding.delete(lease.id);
  }

  async function csr(lease: Claimed): Promise<void> {
    const job = await jobOf(lease.id);
    const kept = csrs.get(lease.id) ?? newCsr(["site.example"]);
    csrs.set(lease.id, kept);
    const isWaited = job.status === "AwaitingCSR" && holds(lease);
    await refusedUnless(job.csr !== null || isWaited, submitCsr(plane, agent, lease, kept));
    if (isWaited && !job.csr) holding.delete(lease.id);
  }

  async function claimMore(): Promise<void> {
    const claimed = await claim(db, agent.session, time.now);
    for (const lease of claimed) {
      expect(holding.has(lease.id)).toBe(false);
      holding.set(lease.id, lease.leaseId);
      given.push(lease);
    }
    expect(holding.size).toBeLessThanOrEqual(roomFor);
  }

  async function sweep(): Promise<void> {
    await reclaimExpired(db, time.now);
    time.now = new Date(time.now.getTime() + 7 * hourMs);
    await resumePending(db, (id) => advanceJob(db, id, time.now), time.now);
  }

  async function perform(operation: (typeof operations)[number], pick: number): Promise<void> {
    const certificateId = certificates[pick % certificates.length] ?? "";
    const lease = given.at(-1 - (pick % Math.max(1, Math.min(given.length, 4))));
    if (operation === "renew") {
      const open = await db.job.count({
        where: { certificateId, type: { in: ["Issuance", "Renewal"] }, completedAt: null },
      });
      await refusedUnless(open === 0, renewCertificate(plane, operator, certificateId));
    } else if (operation === "claim") await claimMore();
    else if (operation === "sweep") await sweep();
    else if (operation === "restart") {
      await db.$transaction((tx) => reclaimFromRestarted(tx, agent.id, []));
      holding.clear();
    } else if (operation === "issue") {
      for (const id of csrs.keys()) await issue(plane, id, new AbortController().signal);
    } else if (!lease) return;
    else if (operation === "acknowledge") {
      const request = create(ReportProgressRequestSchema, { jobId: lease.id, leaseId: lease.leaseId });
      await refusedUnless(holds(lease), reportProgress(db, agent.id, request));
    } else if (operation === "run out") {
      if (holds(lease)) await endLease(plane, lease.id);
      if (holds(lease)) holding.delete(lease.id);
    } else if (operation === "csr") await csr(lease);
    else await result(lease, operation);
  }

  async function check(): Promise<void> {
    await db.job.updateMany({ where: { agentId: agent.id }, data: { maxAttempts: mostAttempts } });
    const jobs = await db.job.findMany({ where: { agentId: agent.id }, include: { made: true } });
    for (const job of jobs) {
      expect(jobStatuses).toContain(job.status);
      expect(job.attempts).toBeLessThanOrEqual(job.maxAttempts);
      expect(job.completedAt === null).toBe(isOpen(job.status));
      if (!isOpen(job.status)) expect(ended.get(job.id) ?? job.status).toBe(job.status);
      if (!isOpen(job.status)) ended.set(job.id, job.status);
      if (job.type !== "Deployment") expect(job.made !== null).toBe(job.status === "Completed");
    }
    expect(openIssuances(jobs)).toEqual([...new Set(openIssuances(jobs))]);
    const [live] = await db.$queryRaw<{ leases: string[] }[]>`
      SELECT coalesce(array_agg(lease_id), '{}') AS leases FROM jobs
      WHERE agent_id = ${agent.id} AND lease_expires_at > now()`;
    expect(live?.leases.sort()).toEqual([...holding.values()].sort());
  }

  return { perform, check };
}

function openIssuances(jobs: readonly Job[]): string[] {
  const open = jobs.filter(({ type, status }) => type !== "Deployment" && isOpen(status));
  return open.map(({ certificateId }) => certificateId);
}

test("whatever happens in whatever order, the jobs stay in order", { timeout: 120_000 }, async () => {
  const step = fc.record({ operation: fc.constantFrom(...operations), pick: fc.nat(11) });
  const story = fc.array(step, { minLength: 20, maxLength: 60, size: "max" });
  await fc.assert(
    fc.asyncProperty(story, async (steps) => {
      const { perform, check } = await openWorld();
      for (const { operation, pick } of steps) {
        await perform(operation, pick);
        await check();
      }
    }),
    { numRuns: 25 },
  );
});
