import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type ControlPlane,
  dayMs,
  newAgent,
  newCertificate,
  newCsr,
  openControlPlane,
  openIssuance,
  operator,
  submitCsr,
} from "../../test/fixtures.ts";
import { makeLeaf, makeTrees } from "../../test/trees.ts";
import { type Grants, unrestricted } from "../auth/grants.ts";
import { authorityPem } from "../authorities/authority.ts";
import {
  defineIssuer,
  type Issued,
  type IssueRequest,
  type IssuerContext,
  type Ordered,
} from "../issuers/issuer.ts";
import { listOrdersOfJob, listWaitingOrders } from "../issuers/list-orders.ts";
import { createIssuer } from "../issuers/manage.ts";
import { resumeSigning } from "../jobs/reclaim.ts";
import { findJob } from "../jobs/view.ts";
import { sha256 } from "../x509/keys.ts";
import { issue } from "./issue.ts";

/** A CA elsewhere that does what each test tells it. */
const told: {
  issue: (request: IssueRequest, context: IssuerContext) => Promise<Issued | Ordered>;
  asked: unknown[];
} = {
  issue: () => Promise.reject(new Error("nothing was told")),
  asked: [],
};
let signs = false;
const later = defineIssuer({
  kind: "later",
  title: "A CA that takes its time",
  config: z.strictObject({}),
  refuses: () => null,
  rootPem: () => "",
  test: async () => "it would sign",
  issue: (request, _config, context) => told.issue(request, context),
  async orderStatus(state) {
    told.asked.push(state);
    return signs ? signed() : { reference: "order-7", pollAfterMs: 3_600_000, message: "waits for a person" };
  },
});

let plane: ControlPlane;
let trees: ReturnType<typeof makeTrees>;
let csr: ReturnType<typeof newCsr>;
let issuerId: string;
const { signal } = new AbortController();

function signed(changes: Parameters<typeof makeLeaf>[1] = {}): Issued {
  const ca = trees["issuing-ca"];
  const leafDer = makeLeaf(ca, { now: plane.time.now, sans: ["site.example"], key: csr.key, ...changes });
  return { leafDer, chainPem: [authorityPem(ca)], rootPem: "", authorityId: null };
}

async function newJob() {
  const agent = await newAgent(plane);
  const certificateId = await newCertificate(plane, { agentId: agent.id, issuerId });
  const job = await openIssuance(plane, agent, certificateId);
  await submitCsr(plane, agent, job, csr);
  return { id: job.id, certificateId };
}

const jobOf = (id: string) =>
  plane.db.job.findUniqueOrThrow({ where: { id }, include: { events: true, orders: true } });
const queuedFor = async (id: string) => {
  const rows = await plane.db.$queryRaw<{ runAt: Date }[]>`
    SELECT run_at AS "runAt" FROM graphile_worker.jobs WHERE key = ${`issue:${id}`}`;
  return rows.map(({ runAt }) => runAt);
};

beforeAll(async () => {
  plane = await openControlPlane();
  plane.issuerKinds = new Map([...plane.issuerKinds, [later.kind, later]]);
  trees = makeTrees(plane.time.now);
  const wanted = { id: "", name: "later", kind: "later", config: {}, enabled: true };
  issuerId = await createIssuer(plane, operator, wanted);
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(() => {
  csr = newCsr(["site.example"]);
  told.asked = [];
  signs = false;
});

describe("a CA that signs later", () => {
  test("is asked again when it said, and its certificate is published once it is there", async () => {
    told.issue = async (_request, { order }) => {
      await order.write({ number: 7 });
      return { reference: "order-7", pollAfterMs: 60_000, message: "waits for validation" };
    };
    const job = await newJob();
    await issue(plane, job.id, signal);
    expect(await queuedFor(job.id)).toEqual([new Date(plane.time.now.getTime() + 60_000)]);
    await issue(plane, job.id, signal);
    await issue(plane, job.id, signal);
    expect(told.asked).toEqual([{ number: 7 }, { number: 7 }]);
    const waiting = await jobOf(job.id);
    expect(waiting).toMatchObject({
      status: "Running",
      orders: [{ reference: "order-7", message: "waits for a person" }],
    });
    const said = waiting.events.filter(({ step }) => step === "ordered").map(({ message }) => message);
    expect(said).toEqual(["order-7: waits for validation", "order-7: waits for a person"]);
    expect(await findJob(plane.db, unrestricted, job.id)).toMatchObject({
      orderMessage: "waits for a person",
    });
    const listed = () =>
      listWaitingOrders(plane.db, unrestricted, { issuerId, page: 1, perPage: 10, cursor: "" });
    expect((await listed()).rows.find(({ jobId }) => jobId === job.id)).toMatchObject({
      reference: "order-7",
      message: "waits for a person",
      certificateId: job.certificateId,
      pollAt: new Date(plane.time.now.getTime() + 3_600_000),
    });
    const reached = async (grants: Grants) =>
      (await listWaitingOrders(plane.db, grants, { issuerId, page: 1, perPage: 10, cursor: "" })).rows.length;
    expect(await reached({ teamIds: [], issuerIds: [issuerId] })).toBeGreaterThan(0);
    expect(await reached({ teamIds: ["t-others"], issuerIds: [] })).toBe(0);
    signs = true;
    await issue(plane, job.id, signal);
    expect(await jobOf(job.id)).toMatchObject({ status: "Completed" });
    const version = await plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId: job.id } });
    const ca = trees["issuing-ca"];
    expect((await listed()).rows.map(({ jobId }) => jobId)).not.toContain(job.id);
    expect(version).toMatchObject({ authorityId: null, rootPem: authorityPem(ca) });
    expect(Buffer.from(version.issuerSpkiSha256)).toEqual(sha256(ca.spki));
  });

  test("has its order told of the job that it is for, waiting or not, with what is remembered of it", async () => {
    told.issue = async (_request, { order }) => {
      await order.write({ number: 11 });
      return { reference: "order-11", pollAfterMs: 60_000, message: "waits" };
    };
    const job = await newJob();
    await issue(plane, job.id, signal);
    csr = newCsr(["site.example"]);
    await issue(plane, (await newJob()).id, signal);
    const listed = (grants: Grants) =>
      listOrdersOfJob(plane.db, grants, { issuerId, jobId: job.id, page: 1, perPage: 10, cursor: "" });
    const ordered = { jobId: job.id, certificateId: job.certificateId, state: { number: 11 } };
    expect((await listed(unrestricted)).rows).toMatchObject([ordered]);
    expect((await listed({ teamIds: ["t-others"], issuerIds: [] })).rows).toEqual([]);
    await plane.db.job.update({
      where: { id: job.id },
      data: { status: "Cancelled", completedAt: plane.time.now },
    });
    expect((await listed(unrestricted)).rows).toMatchObject([ordered]);
  });

  test("is left alone by the sweep until then", async () => {
    told.issue = async () => ({ reference: "order-8", pollAfterMs: 3_600_000, message: "waits" });
    const job = await newJob();
    await issue(plane, job.id, signal);
    const [planned] = await queuedFor(job.id);
    await resumeSigning(plane.db, 0, plane.time.now);
    expect(await queuedFor(job.id)).toEqual([planned]);
    await resumeSigning(plane.db, 0, new Date(plane.time.now.getTime() + 3_600_001));
    expect(await queuedFor(job.id)).not.toEqual([planned]);
  });

  test("that does not sign in 30 days has refused", async () => {
    told.issue = async () => ({ reference: "order-9", pollAfterMs: 3_600_000, message: "waits" });
    const job = await newJob();
    await issue(plane, job.id, signal);
    const createdAt = new Date(plane.time.now.getTime() - 31 * dayMs);
    await plane.db.issuerOrder.updateMany({ where: { jobId: job.id }, data: { createdAt } });
    await issue(plane, job.id, signal);
    expect(await jobOf(job.id)).toMatchObject({
      status: "Pending",
      failureClass: "Refused",
      errorStep: "order",
    });
  });

  test("is not asked by two processes at once", async () => {
    let others: Promise<void> = Promise.resolve();
    let calls = 0;
    told.issue = async (request) => {
      calls += 1;
      others = issue(plane, request.keyId, signal);
      await others;
      return signed();
    };
    const job = await newJob();
    await issue(plane, job.id, signal);
    expect(calls).toBe(1);
    expect(await jobOf(job.id)).toMatchObject({ status: "Completed" });
  });
});

describe("what a CA signed", () => {
  const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const day = 86_400_000;
  test.each<[string, () => Issued, string]>([
    ["for another key", () => signed({ key: otherKey }), "another public key"],
    ["for more names", () => signed({ sans: ["site.example", "more.example"] }), "other names"],
    ["for fewer names", () => signed({ sans: ["www.example"] }), "other names"],
    [
      "for later",
      () => signed({ now: new Date(plane.time.now.getTime() + day) }),
      "a beginning in the future",
    ],
    [
      "for the past",
      () => signed({ now: new Date(plane.time.now.getTime() - 90 * day), days: 46 }),
      "an end in the past",
    ],
    [
      "under another chain",
      () => ({ ...signed(), chainPem: [authorityPem(trees["agent-ca"])] }),
      "no signature by",
    ],
    ["without its chain", () => ({ ...signed(), chainPem: [] }), "no certificate that signed it"],
    ["that is no certificate", () => ({ ...signed(), leafDer: Buffer.from("no") }), "no certificate"],
  ])("%s is not published", async (_what, answer, words) => {
    told.issue = async () => answer();
    const job = await newJob();
    await issue(plane, job.id, signal);
    const failed = await jobOf(job.id);
    expect(failed).toMatchObject({ status: "Pending", errorStep: "check", failureClass: "Refused" });
    expect(failed.errorMessage).toContain(words);
    expect(await plane.db.certificateVersion.count({ where: { jobId: job.id } })).toBe(0);
  });

  test("before is what the next order says it replaces", async () => {
    const seen: IssueRequest["replaces"][] = [];
    told.issue = async (request) => {
      seen.push(request.replaces);
      return signed();
    };
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id, issuerId });
    const leaves: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      csr = newCsr(["site.example"]);
      const job = await openIssuance(plane, agent, certificateId);
      await submitCsr(plane, agent, job, csr);
      await issue(plane, job.id, signal);
      const { fingerprintSha256 } = await plane.db.certificateVersion.findUniqueOrThrow({
        where: { jobId: job.id },
      });
      leaves.push(fingerprintSha256);
    }
    expect(seen[0]).toBeNull();
    expect(sha256(seen[1]?.leafDer ?? Buffer.alloc(0)).toString("hex")).toBe(leaves[0]);
    expect(seen[1]?.issuerDer).toEqual(trees["issuing-ca"].der);
  });
});
