import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  newAgent,
  newCertificate,
  openControlPlane,
  openIssuance,
} from "../../test/fixtures.ts";
import { type HeldOrder, holdOrder } from "./order.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

async function newKey() {
  const agent = await newAgent(plane);
  const { id } = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
  return { issuerId: "iss-local", jobId: id, keyId: id };
}

async function hold(key: Awaited<ReturnType<typeof newKey>>): Promise<HeldOrder> {
  const held = await holdOrder(plane.db, key, plane.clock);
  if (held instanceof Date) throw new Error("another process has the order");
  return held;
}

describe("an order", () => {
  test("is remembered for its key", async () => {
    const key = await newKey();
    {
      await using order = await hold(key);
      expect(await order.read()).toBeNull();
      await order.write({ location: "https://ca.example/order/1" });
    }
    await using order = await hold(key);
    expect(await order.read()).toEqual({ location: "https://ca.example/order/1" });
    await using other = await hold(await newKey());
    expect(await other.read()).toBeNull();
  });

  test("is one process's at a time, and another's when that one is gone", async () => {
    const key = await newKey();
    const first = await hold(key);
    const busy = await holdOrder(plane.db, key, plane.clock);
    expect(busy).toBeInstanceOf(Date);
    expect(Number(busy) - plane.time.now.getTime()).toBeGreaterThan(25_000);
    await plane.db
      .$executeRaw`UPDATE issuer_orders SET lease_expires_at = now() - interval '1 second' WHERE id = ${first.id}`;
    await using second = await hold(key);
    await expect(first.write({ late: true })).rejects.toThrow("another process's now");
    await second.write({ late: false });
    await first[Symbol.asyncDispose]();
    expect(await second.read()).toEqual({ late: false });
    expect(await holdOrder(plane.db, key, plane.clock)).toBeInstanceOf(Date);
  });

  test("that is forgotten begins again", async () => {
    await using order = await hold(await newKey());
    await order.write({ reference: "7" });
    await order.write(null);
    expect(await order.read()).toBeNull();
  });
});
