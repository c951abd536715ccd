import { afterAll, beforeAll, expect, test } from "vitest";
import { type ControlPlane, openControlPlane } from "../../test/fixtures.ts";
import { newId } from "../platform/ids.ts";
import { placeOf } from "./acme/budget.ts";
import type { Budget, OrderPlace } from "./budget.ts";
import { budgetUse } from "./budget-use.ts";
import { orderBudget } from "./order-budget.ts";

const start = "2030-06-01T12:00:00.000Z";
const hour = 3_600_000;
const day = 24 * hour;
const unbound: Budget = { account: "https://ca.example/dir", orders: 0, perDomain: 0, perNameSet: 0 };

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

/** An issuer that has ordered nothing, at the start of time. */
async function newIssuer(limits: Partial<Budget>) {
  plane.time.now = new Date(start);
  const id = newId("iss");
  await plane.db.issuer.create({ data: { id, name: id, kind: "acme", config: {} } });
  const budget = { ...unbound, ...limits };
  const asked = orderBudget(plane.db, id, plane.clock);
  let count = 0;
  return {
    id,
    release: asked.release,
    keyId: () => `key-${count}`,
    /** Places an order for a key of its own. */
    order(sans: string[], changes: Partial<OrderPlace> & { account?: string } = {}) {
      count += 1;
      const { account = budget.account, ...place } = changes;
      return asked.take({ ...placeOf(`key-${count}`, sans, false), ...place }, { ...budget, account });
    },
    use: () => budgetUse(plane.db, id, budget, plane.clock()),
  };
}

function pass(ms: number): void {
  plane.time.now = new Date(plane.time.now.getTime() + ms);
}

/** As a job is told: the class, and when there is room again. */
const spent = (words: string, retryAfterMs: number) =>
  expect.objectContaining({
    step: "budget",
    failureClass: "RateLimited",
    retryAfterMs,
    message: expect.stringContaining(words),
  });

test("an account orders so many times in three hours, whatever for", async () => {
  const issuer = await newIssuer({ orders: 2 });
  await issuer.order(["a.example"]);
  pass(hour);
  await issuer.order(["b.example"], { isReplacement: true });
  const full = { kind: "orders", subject: "", used: 2, limit: 2, freeAt: new Date("2030-06-01T15:00:00Z") };
  expect((await issuer.use())[0]).toEqual(full);
  const refusal = spent("2 orders in 3 hours; there is room again at 2030-06-01T15:00:00.000Z", 2 * hour);
  await expect(issuer.order(["c.example"])).rejects.toEqual(refusal);
  await expect(issuer.order(["c.example"], { isReplacement: true })).rejects.toEqual(refusal);
  pass(2 * hour - 1);
  await expect(issuer.order(["c.example"])).rejects.toEqual(spent("2 orders", 1));
  pass(1);
  await issuer.order(["c.example"]);
  await expect(issuer.order(["c.example"])).rejects.toEqual(spent("2 orders", hour));
});

test("a registered domain gets so many certificates in seven days, other domains theirs", async () => {
  const issuer = await newIssuer({ perDomain: 2 });
  await issuer.order(["a.shop.co.uk"]);
  pass(day);
  await issuer.order(["*.b.shop.co.uk", "c.other.co.uk"]);
  await expect(issuer.order(["free.example", "shop.co.uk"])).rejects.toEqual(
    spent("2 certificates for shop.co.uk in 7 days", 6 * day),
  );
  // Each of a hoster's customers has a domain of its own.
  for (const name of ["one.github.io", "two.github.io", "three.github.io", "d.other.co.uk"])
    await issuer.order([name]);
  expect((await issuer.use()).filter(({ kind }) => kind === "domain").slice(0, 3)).toMatchObject([
    { subject: "other.co.uk", used: 2, limit: 2, freeAt: new Date("2030-06-09T12:00:00Z") },
    { subject: "shop.co.uk", used: 2, limit: 2, freeAt: new Date("2030-06-08T12:00:00Z") },
    { subject: "one.github.io", used: 1, freeAt: null },
  ]);
  pass(6 * day);
  await issuer.order(["shop.co.uk"]);
});

test("exactly the same names get so many certificates in seven days", async () => {
  const issuer = await newIssuer({ perNameSet: 1 });
  await issuer.order(["b.example", "a.example"]);
  await expect(issuer.order(["a.example", "b.example"])).rejects.toEqual(
    spent("1 certificates for exactly a.example b.example in 7 days", 7 * day),
  );
  await issuer.order(["a.example"]);
  pass(7 * day);
  await issuer.order(["a.example", "b.example"]);
  // What the CA has forgotten is not kept.
  expect(await plane.db.placedOrder.count({ where: { issuerId: issuer.id } })).toBe(1);
});

test("a renewal that says what it replaces is neither counted nor refused as a certificate", async () => {
  const issuer = await newIssuer({ perDomain: 1, perNameSet: 1 });
  await issuer.order(["a.example"], { isReplacement: true });
  await issuer.order(["a.example"]);
  await expect(issuer.order(["a.example"])).rejects.toEqual(spent("a.example", 7 * day));
  await issuer.order(["a.example"], { isReplacement: true });
});

test("an order that came to nothing counts as an order alone, one that is placed again counts once", async () => {
  const issuer = await newIssuer({ perDomain: 2, perNameSet: 2 });
  await issuer.order(["a.example"]);
  await issuer.release(issuer.keyId());
  await issuer.order(["a.example"], { keyId: "again" });
  await issuer.order(["a.example"], { keyId: "again" });
  await issuer.order(["a.example"]);
  await expect(issuer.order(["a.example"])).rejects.toEqual(spent("a.example", 7 * day));
  await issuer.order(["a.example"], { keyId: "again" });
  expect(await issuer.use()).toMatchObject([
    { kind: "orders", used: 5, limit: 0, freeAt: null },
    { kind: "domain", subject: "a.example", used: 2 },
    { kind: "names", subject: "a.example", used: 2 },
  ]);
});

test("what another issuer ordered, or this one of another CA, is not counted", async () => {
  const [one, other] = [await newIssuer({ orders: 1, perDomain: 1 }), await newIssuer({ orders: 1 })];
  await one.order(["a.example"]);
  await other.order(["a.example"]);
  await one.order(["a.example"], { account: "https://staging.example/dir" });
  await expect(one.order(["b.example"])).rejects.toEqual(spent("1 orders", 3 * hour));
  expect((await other.use())[0]).toMatchObject({ used: 1 });
});

test("of many that want the last place at the same time, one gets it", async () => {
  const issuer = await newIssuer({ orders: 3 });
  await issuer.order(["a.example"]);
  await issuer.order(["a.example"]);
  const asked = await Promise.allSettled(Array.from({ length: 5 }, () => issuer.order(["a.example"])));
  expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect((await issuer.use())[0]).toMatchObject({ used: 3 });
});
