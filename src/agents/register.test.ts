import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ControlPlane, firstPage, openControlPlane, operator, refusalOf } from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { createJoinToken, endJoinToken, registerAgent } from "./register.ts";
import { findAgent, listAgents } from "./view.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

const auditsOf = (resourceId: string) => plane.db.auditEvent.findMany({ where: { resourceId } });

const anyAgent = { statuses: [], q: "" };

describe("registering an agent", () => {
  test("answers a key of which only the hash is kept", async () => {
    const { agent, apiKey } = await registerAgent(plane.db, operator, { id: "ag-one", name: "one" });
    expect(agent).toMatchObject({ id: "ag-one", name: "one" });
    const [keyId = ""] = apiKey.split("_");
    const kept = await plane.db.apiKey.findUniqueOrThrow({ where: { id: keyId } });
    expect(kept).toMatchObject({ role: "agent", agentId: "ag-one" });
    expect(kept.secretHash).toHaveLength(32);
    const audits = await auditsOf("ag-one");
    expect(audits).toMatchObject([{ action: "agent_created", details: { api_key_id: keyId } }]);
    expect(inspect(audits)).not.toContain(apiKey.slice(-43));
  });

  test("under an id that is taken is refused and leaves no key behind", async () => {
    await registerAgent(plane.db, operator, { id: "ag-two", name: "two" });
    const again = registerAgent(plane.db, operator, { id: "ag-two", name: "two" });
    expect(await refusalOf(again)).toMatchObject({ code: "AlreadyExists" });
    expect(await plane.db.apiKey.count({ where: { agentId: "ag-two" } })).toBe(1);
  });
});

describe("a join token", () => {
  test("is single-use and ends after an hour unless made otherwise", async () => {
    const wanted = { agentId: "", maxUses: 0, ttlSeconds: 0 };
    const { joinToken, token } = await createJoinToken(plane, operator, wanted);
    const expiresAt = new Date(plane.time.now.getTime() + 3_600_000);
    expect(joinToken).toMatchObject({ maxUses: 1, uses: 0, agentId: null, expiresAt });
    expect(token).toMatch(/^jt-[a-z2-7]{12}_[A-Za-z0-9_-]{43}$/);
    const audits = await auditsOf(joinToken.id);
    expect(audits).toMatchObject([{ action: "join_token_created", actor: operator.id }]);
    expect(inspect([audits, joinToken], { depth: 5 })).not.toContain(token.slice(-43));
  });

  test("is ended once", async () => {
    const wanted = { agentId: "", maxUses: 5, ttlSeconds: 600 };
    const { joinToken } = await createJoinToken(plane, operator, wanted);
    await endJoinToken(plane, operator, joinToken.id);
    await endJoinToken(plane, operator, joinToken.id);
    const row = await plane.db.joinToken.findUniqueOrThrow({ where: { id: joinToken.id } });
    expect(row.expiresAt).toEqual(plane.time.now);
    expect((await auditsOf(joinToken.id)).map(({ action }) => action).sort()).toEqual([
      "join_token_created",
      "join_token_ended",
    ]);
  });

  test("that does not exist cannot be ended", async () => {
    expect(await refusalOf(endJoinToken(plane, operator, "jt-none"))).toMatchObject({ code: "NotFound" });
  });
});

describe("an agent's status", () => {
  const statusOf = async (id: string) => (await findAgent(plane.db, unrestricted, id))?.status;

  test("is Online with a stream on a replica that lives and a fresh heartbeat, and Offline without", async () => {
    const { db } = plane;
    const { agent } = await registerAgent(db, operator, { id: "", name: "x" });
    const { id } = agent;
    expect(await statusOf(id)).toBe("Offline");
    await db.replica.create({ data: { id: "replica-1" } });
    await db.agent.update({ where: { id }, data: { sessionId: "s", replicaId: "replica-1" } });
    await db.$executeRaw`UPDATE agents SET last_heartbeat_at = now() WHERE id = ${id}`;
    expect(await statusOf(id)).toBe("Online");
    await db.$executeRaw`UPDATE agents SET last_heartbeat_at = now() - interval '151 s' WHERE id = ${id}`;
    expect(await statusOf(id)).toBe("Offline");
    await db.$executeRaw`UPDATE agents SET last_heartbeat_at = now() WHERE id = ${id}`;
    await db.$executeRaw`UPDATE replicas SET heartbeat_at = now() - interval '31 s'`;
    expect(await statusOf(id)).toBe("Offline");
    await db.$executeRaw`UPDATE replicas SET heartbeat_at = now()`;
    await db.agent.update({ where: { id }, data: { sessionId: null } });
    expect(await statusOf(id)).toBe("Offline");
  });

  test("is the same in the list, which counts all agents", async () => {
    const { total, rows } = await listAgents(plane.db, unrestricted, { ...firstPage, perPage: 1 }, anyAgent);
    expect(total).toBe(await plane.db.agent.count());
    expect(rows).toHaveLength(1);
    expect(rows[0]?.status).toBe(await statusOf(rows[0]?.id ?? ""));
  });
});
