import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  allCertificates,
  type ControlPlane,
  dayMs,
  failed,
  firstPage,
  issueVersion,
  newAgent,
  newCertificate,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  report,
  succeeded,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { claim } from "../jobs/lease.ts";
import { archiveCertificate } from "./declare.ts";
import { countFacets, type FacetValue } from "./facets.ts";
import type { CertificateFilter } from "./filter.ts";
import { listCertificates } from "./view.ts";

let plane: ControlPlane;
let agent: TestAgent;
const ids: Record<string, string> = {};

beforeAll(async () => {
  plane = await openControlPlane();
  agent = await newAgent(plane);
  const { db } = plane;
  await db.team.create({ data: { id: "t-web", name: "web" } });
  await db.team.create({ data: { id: "t-pay", name: "payments" } });
  await db.owner.create({ data: { id: "o-ann", name: "Ann", email: "ann@example.test" } });
  const declared = {
    shop: { teamId: "t-web", ownerId: "o-ann", environment: "production", tags: { tier: "1", pci: "yes" } },
    blog: { teamId: "t-web", environment: "staging", tags: { tier: "2" } },
    pay: { teamId: "t-pay", environment: "production", keyAlgorithm: "ECDSA-P384" },
    stray: {},
    gone: { teamId: "t-pay" },
  };
  for (const [name, wanted] of Object.entries(declared))
    ids[name] = await newCertificate(plane, { name, agentId: agent.id, ...wanted });
  await issueVersion(plane, agent, ids["shop"] ?? "");
  await report(plane, agent, await openIssuance(plane, agent, ids["blog"] ?? ""), failed(false));
  await archiveCertificate(plane, operator, ids["gone"] ?? "");
});
afterAll(() => plane[Symbol.asyncDispose]());

const facets = (filter: Partial<CertificateFilter> = {}, grants = unrestricted) =>
  countFacets(plane.db, grants, { ...allCertificates, ...filter }, plane.time.now);
const names = async (filter: Partial<CertificateFilter>, sort = "name") => {
  const request = { ...firstPage, sort };
  const wanted = { ...allCertificates, ...filter };
  const { rows } = await listCertificates(plane.db, unrestricted, request, wanted, plane.time.now);
  return rows.map(({ name }) => name);
};
const counts = (values: FacetValue[]) => Object.fromEntries(values.map(({ value, count }) => [value, count]));

describe("facets", () => {
  test("count what the list would show, by everything that it is filtered by", async () => {
    const all = await facets();
    expect(all.total).toBe(4);
    expect(counts(all.status)).toEqual({ Active: 1, Failed: 1, Pending: 2, Archived: 1 });
    expect(counts(all.schedule)).toEqual({ OnPlan: 1 });
    expect(counts(all.expiry)).toEqual({ "60d": 1 });
    expect(all.team).toEqual([
      { value: "t-web", name: "web", count: 2 },
      { value: "", name: "", count: 1 },
      { value: "t-pay", name: "payments", count: 1 },
    ]);
    expect(counts(all.owner)).toEqual({ "": 3, "o-ann": 1 });
    expect(counts(all.environment)).toEqual({ production: 2, staging: 1, "": 1 });
    expect(counts(all.issuer)).toEqual({ "iss-local": 4 });
    expect(counts(all.renewalPolicy)).toEqual({ "rp-default": 4 });
    expect(counts(all.keyAlgorithm)).toEqual({ "ECDSA-P256": 3, "ECDSA-P384": 1 });
    expect(counts(all.tag)).toEqual({ tier: 2, pci: 1 });
  });

  test("count with all other facets' filters applied, but not with their own", async () => {
    const some = await facets({ teamIds: ["t-web"], environments: ["production"] });
    expect(some.total).toBe(1);
    expect(counts(some.team)).toEqual({ "t-web": 1, "t-pay": 1 });
    expect(counts(some.environment)).toEqual({ production: 1, staging: 1 });
    expect(counts(some.status)).toEqual({ Active: 1 });
    expect(counts(some.tag)).toEqual({ tier: 1, pci: 1 });
  });

  test("count archived ones among the others only where they are asked for", async () => {
    const archived = await facets({ statuses: ["Archived"] });
    expect(archived.total).toBe(1);
    expect(counts(archived.team)).toEqual({ "t-pay": 1 });
    expect(counts(archived.status)).toMatchObject({ Active: 1, Archived: 1 });
  });

  test("keep to the search, and to what the caller reaches", async () => {
    expect((await facets({ q: "sho" })).total).toBe(1);
    expect(counts((await facets({ tags: ["tier=2"] })).environment)).toEqual({ staging: 1 });
    expect(counts((await facets({}, { teamIds: ["t-pay"], issuerIds: [] })).team)).toEqual({ "t-pay": 1 });
  });
});

describe("the list of certificates", () => {
  test.each<[Partial<CertificateFilter>, string[]]>([
    [{ teamIds: ["t-web", "t-pay"] }, ["blog", "pay", "shop"]],
    [{ teamIds: [""] }, ["stray"]],
    [{ teamIds: ["t-pay", ""] }, ["pay", "stray"]],
    [{ ownerIds: [""] }, ["blog", "pay", "stray"]],
    [{ environments: ["", "staging"] }, ["blog", "stray"]],
    [{ keyAlgorithms: ["ECDSA-P384"] }, ["pay"]],
    [{ expiries: ["60d", "7d"] }, ["shop"]],
    [{ issuerIds: ["iss-local", "iss-none"] }, ["blog", "pay", "shop", "stray"]],
    [{ renewalPolicyIds: ["rp-none"] }, []],
    [{ agentIds: ["ag-none"] }, []],
    [{ targetIds: ["tgt-none"] }, []],
    [{ issuingCas: ["00"] }, []],
  ])("chooses by several values: %j", async (filter, expected) => {
    expect(await names(filter)).toEqual(expected);
  });

  test("finds what the CA signed whose certificate the chain holds", async () => {
    const [shop] = await plane.db.currentVersion.findMany();
    expect(shop?.issuingCaSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(await names({ issuingCas: [shop?.issuingCaSha256 ?? ""] })).toEqual(["shop"]);
  });

  test("begins with what needs a person first, where it is sorted so, and pages in that order", async () => {
    // Of the two that were never issued, either may be first.
    const order = async () => (await names({}, "attention")).map((name) => name.replace(/pay|stray/, "new"));
    expect(await order()).toEqual(["blog", "new", "new", "shop"]);
    plane.time.now = new Date(plane.time.now.getTime() + 40 * dayMs);
    expect(await order()).toEqual(["blog", "shop", "new", "new"]);
    plane.time.now = new Date(plane.time.now.getTime() - 40 * dayMs);
    const request = { ...firstPage, sort: "attention", perPage: 3 };
    const wanted = [plane.db, unrestricted] as const;
    const first = await listCertificates(...wanted, request, allCertificates, plane.time.now);
    const next = { ...request, cursor: first.nextCursor };
    const { rows } = await listCertificates(...wanted, next, allCertificates, plane.time.now);
    expect(rows.map(({ name }) => name)).toEqual(["shop"]);
  });
});

describe("what a certificate's row says of its targets", () => {
  const read = async (id: string) => {
    const filter = { ...allCertificates, ids: [id] };
    const { rows } = await listCertificates(plane.db, unrestricted, firstPage, filter, plane.time.now);
    return rows[0];
  };

  test("is how many have what they are to have, and how many serve something else", async () => {
    await using own = await newControlPlaneWithTargets();
    expect(await own.read()).toMatchObject({
      targetIds: own.targetIds,
      deploymentsTotal: 2,
      deploymentsProven: 0,
      issuerName: "Local CA",
      ownerName: null,
      teamName: null,
    });
    await own.prove();
    expect(await own.read()).toMatchObject({ deploymentsProven: 2, deploymentsDrifted: 0 });
    await own.plane.db.certificateTarget.updateMany({
      where: { targetId: own.targetIds[0] ?? "" },
      data: { servedFingerprint: "00" },
    });
    expect(await own.read()).toMatchObject({ deploymentsProven: 1, deploymentsDrifted: 1 });
  });

  test("names its issuer, owner, team and policy", async () => {
    expect(await read(ids["shop"] ?? "")).toMatchObject({
      ownerName: "Ann",
      teamName: "web",
      renewalPolicyName: "Default",
      deploymentsTotal: 0,
    });
  });
});

async function newControlPlaneWithTargets() {
  const own = await openControlPlane();
  const keeper = await newAgent(own);
  const targetIds = [await newTarget(own, keeper), await newTarget(own, keeper)].sort();
  const id = await newCertificate(own, { targetIds });
  const version = await issueVersion(own, keeper, id);
  return {
    plane: own,
    targetIds,
    async prove() {
      for (const job of await claim(own.db, keeper.session, own.time.now))
        await report(own, keeper, job, succeeded(version.fingerprintSha256));
    },
    async read() {
      const filter = { ...allCertificates, ids: [id] };
      const { rows } = await listCertificates(own.db, unrestricted, firstPage, filter, own.time.now);
      return rows[0];
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}
