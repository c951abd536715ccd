import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
  refusalOf,
  type TestAgent,
} from "../../test/fixtures.ts";
import { createIssuance } from "./create.ts";
import { type JobStatus, jobStatuses } from "./state.ts";
import { transition } from "./transition.ts";

const allowed: Record<JobStatus, JobStatus[]> = {
  Pending: ["AwaitingCSR", "Running", "Failed", "Cancelled"],
  AwaitingCSR: ["Running", "Pending", "Failed", "Cancelled"],
  Running: ["Completed", "Pending", "Failed", "Cancelled"],
  Completed: [],
  Failed: ["Pending"],
  Cancelled: ["Pending"],
};
const moves = jobStatuses.flatMap((from) => jobStatuses.map((to) => ({ from, to })));
const permitted = moves.filter(({ from, to }) => allowed[from].includes(to));
const forbidden = moves.filter(({ from, to }) => !allowed[from].includes(to));

let plane: ControlPlane;
let agent: TestAgent;
beforeAll(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
});
afterAll(() => plane[Symbol.asyncDispose]());

async function jobIn(status: JobStatus) {
  const certificateId = await newCertificate(plane, { agentId: agent.id });
  const id = await openJob(certificateId, agent);
  return plane.db.job.update({ where: { id }, data: { status } });
}

function openJob(certificateId: string, { id: agentId }: TestAgent): Promise<string> {
  const options = {
    type: "Renewal",
    certificateId,
    agentId,
    renewalId: "rn-1",
    now: plane.time.now,
  } as const;
  return plane.db.$transaction((tx) => createIssuance(tx, operator, options));
}

describe("a job", () => {
  test.each(permitted)("moves from $from to $to", async ({ from, to }) => {
    const job = await jobIn(from);
    await plane.db.$transaction((tx) => transition(tx, job, to, { errorStep: "proof" }));
    const after = await plane.db.job.findUniqueOrThrow({ where: { id: job.id } });
    expect(after).toMatchObject({ status: to, errorStep: "proof" });
  });

  test.each(forbidden)("does not move from $from to $to", async ({ from, to }) => {
    const job = await jobIn(from);
    await expect(plane.db.$transaction((tx) => transition(tx, job, to))).rejects.toThrow("is no transition");
    expect(await plane.db.job.findUniqueOrThrow({ where: { id: job.id } })).toMatchObject({ status: from });
  });
});

describe("a transition that lost the race", () => {
  test("is refused and overwrites nothing", async () => {
    const seen = await jobIn("Running");
    await plane.db.$transaction((tx) => transition(tx, seen, "Failed", { errorStep: "first" }));
    const late = plane.db.$transaction((tx) => transition(tx, seen, "Completed", { errorStep: "second" }));
    expect(await refusalOf(late)).toMatchObject({ code: "Aborted", reason: "JOB_CHANGED" });
    const after = await plane.db.job.findUniqueOrThrow({ where: { id: seen.id } });
    expect(after).toMatchObject({ status: "Failed", errorStep: "first" });
  });

  test("of two at the same time one wins", async () => {
    const seen = await jobIn("Running");
    const attempts = (["Completed", "Failed", "Cancelled", "Pending"] as const).map((to) =>
      plane.db.$transaction((tx) => transition(tx, seen, to)),
    );
    const results = await Promise.allSettled(attempts);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });
});

describe("the open issuance of a certificate", () => {
  test("is one for each agent", async () => {
    const other = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    await openJob(certificateId, agent);
    await openJob(certificateId, other);
    await expect(openJob(certificateId, agent)).rejects.toThrow("Unique constraint");
  });

  test.each(["Completed", "Failed", "Cancelled"])("makes room for another when it is %s", async (status) => {
    const certificateId = await newCertificate(plane, { agentId: agent.id });
    const id = await openJob(certificateId, agent);
    await plane.db.job.update({ where: { id }, data: { status } });
    await expect(openJob(certificateId, agent)).resolves.toMatch(/^job-/);
  });
});
