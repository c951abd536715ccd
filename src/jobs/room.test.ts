import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  claimOne,
  failed,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
  report,
  silent,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { renewCertificate } from "../certificates/renew.ts";
import { type Bus, openBus } from "../platform/bus.ts";
import { cancelJob } from "./cancel.ts";
import type { Claimed } from "./lease.ts";

/** An agent takes so many jobs at a time; what waits is offered to it as soon as it has room. */

let parts: AsyncDisposableStack;
let plane: ControlPlane;
let agent: TestAgent;
let job: Claimed;
let woken: string[];
beforeEach(async () => {
  parts = new AsyncDisposableStack();
  plane = parts.use(await openControlPlane());
  agent = await newAgent(plane, 1);
  const bus: Bus = parts.use(await openBus(plane.pool.options.connectionString ?? "", silent));
  for (let i = 0; i < 2; i += 1)
    await renewCertificate(plane, operator, await newCertificate(plane, { agentId: agent.id }));
  job = await claimOne(plane, agent);
  woken = [];
  // What the renewals said comes first: a connection gets notifications in their order.
  const mark = "mark";
  bus.subscribe("work", (payload) => woken.push(payload));
  await plane.db.$executeRaw`SELECT pg_notify('certctl_work', ${mark})`;
  await expect.poll(() => woken.includes(mark)).toBe(true);
  woken.length = 0;
});
afterEach(() => parts.disposeAsync());

describe("an agent that has room again", () => {
  test("because its CSR was accepted is offered what waits", async () => {
    await submitCsr(plane, agent, job);
    await expect.poll(() => woken).toContain(agent.id);
    expect((await claimOne(plane, agent)).id).not.toBe(job.id);
  });

  test("because its job failed is offered what waits", async () => {
    await report(plane, agent, job, failed(true));
    await expect.poll(() => woken).toContain(agent.id);
    expect((await claimOne(plane, agent)).id).not.toBe(job.id);
  });

  test("because its job was cancelled is offered what waits", async () => {
    await cancelJob(plane, operator, job.id);
    await expect.poll(() => woken).toContain(agent.id);
    expect((await claimOne(plane, agent)).id).not.toBe(job.id);
  });
});
