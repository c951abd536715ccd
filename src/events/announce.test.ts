import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
  openIssuance,
} from "../../test/fixtures.ts";
import { permissions } from "../auth/roles.ts";

/** What the database says of writes, to everybody who listens. */

let plane: ControlPlane;
const parts = new AsyncDisposableStack();
let heard: string[] = [];

beforeAll(async () => {
  plane = parts.use(await openControlPlane());
  const client = await plane.pool.connect();
  parts.defer(() => client.release(true));
  client.on("notification", ({ payload = "" }) => heard.push(payload));
  await client.query("LISTEN certctl_changed");
});
beforeEach(() => settle());
afterAll(() => parts.disposeAsync());

/** Everything that was committed until now has been heard. */
async function settle(): Promise<string[]> {
  const mark = `mark ${Math.random()}`;
  await plane.db.$executeRaw`SELECT pg_notify('certctl_changed', ${mark})`;
  await expect.poll(() => heard.includes(mark)).toBe(true);
  const before = heard.filter((payload) => !payload.startsWith("mark "));
  heard = [];
  return [...new Set(before)].sort();
}

const newTeams = (count: number, prefix: string) =>
  plane.db.team.createMany({
    data: Array.from({ length: count }, (_, index) => ({
      id: `t-${prefix}-${index}`,
      name: `${prefix} ${index}`,
    })),
  });

describe("a write", () => {
  test("says which row it made, changed and removed, once its transaction has committed", async () => {
    await newTeams(1, "a");
    expect(await settle()).toEqual(["teams t-a-0"]);
    await plane.db.team.update({ where: { id: "t-a-0" }, data: { name: "other" } });
    expect(await settle()).toEqual(["teams t-a-0"]);
    await plane.db.team.delete({ where: { id: "t-a-0" } });
    expect(await settle()).toEqual(["teams t-a-0"]);
    const failing = plane.db.$transaction(async (tx) => {
      await tx.team.create({ data: { id: "t-never", name: "never" } });
      throw new Error("rolled back");
    });
    await expect(failing).rejects.toThrow("rolled back");
    expect(await settle()).toEqual([]);
  });

  test("of many rows names their topic alone, however many they are", async () => {
    await newTeams(50, "few");
    expect(await settle()).toHaveLength(50);
    await newTeams(10_000, "many");
    expect(await settle()).toEqual(["teams *"]);
    await plane.db.$executeRaw`UPDATE teams SET name = name || '!'`;
    expect(await settle()).toEqual(["teams *"]);
  });

  test("of no row says nothing", async () => {
    await plane.db.team.updateMany({ where: { id: "t-none" }, data: { name: "x" } });
    expect(await settle()).toEqual([]);
  });

  test("of a certificate's parts names the certificate, and the targets that they lie on", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    await settle();
    const version = await issueVersion(plane, agent, id);
    expect(await settle()).toEqual(expect.arrayContaining([`certificates ${id}`, `jobs ${version.jobId}`]));
    await plane.db.target.create({
      data: { id: "tgt-a", name: "a", kind: "files", agentId: agent.id, config: {} },
    });
    await settle();
    await plane.db.certificateTarget.create({ data: { certificateId: id, targetId: "tgt-a" } });
    expect(await settle()).toEqual([`certificates ${id}`, "targets tgt-a"]);
  });

  test("that is only a sign of life is kept quiet", async () => {
    const agent = await newAgent(plane);
    const id = await newCertificate(plane, { agentId: agent.id });
    const job = await openIssuance(plane, agent, id);
    await settle();
    await plane.db
      .$executeRaw`UPDATE agents SET last_heartbeat_at = now(), clock_skew_ms = 5 WHERE id = ${agent.id}`;
    await plane.db
      .$executeRaw`UPDATE jobs SET lease_expires_at = now() + interval '1 hour' WHERE id = ${job.id}`;
    await plane.db.$executeRaw`UPDATE api_keys SET last_used_at = now()`;
    expect(await settle()).toEqual([]);
    await plane.db
      .$executeRaw`UPDATE agents SET last_heartbeat_at = now(), offline_at = now() WHERE id = ${agent.id}`;
    expect(await settle()).toEqual([`agents ${agent.id}`]);
  });
});

/** Tables whose changes no call shows, or that are told of by others. */
const quiet = [
  "_prisma_migrations",
  "audit_keys",
  "audit_seals",
  "challenges",
  // Follows what is announced: versions, targets, a certificate's agent.
  "current_versions",
  "installation",
  "issuances",
  "issuer_accounts",
  // Would be too many: each replica tells them to its own watchers.
  "job_events",
  "join_tokens",
  "ocsp_answers",
  "ocsp_responders",
  // With the order that is placed then.
  "placed_orders",
  "replicas",
  "server_keys",
];

test("every table is announced, under a topic that is read by a permission, or known to be quiet", async () => {
  const announced = await plane.db.$queryRaw<{ name: string; topic: string; events: number }[]>`
    SELECT c.relname AS name, split_part(encode(t.tgargs, 'escape'), '\\000', 1) AS topic, count(*)::int AS events
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgfoid = 'certctl_tell_changed'::regproc GROUP BY 1, 2`;
  const tables = await plane.db.$queryRaw<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`;
  const silent = tables
    .map(({ name }) => name)
    .filter((name) => !announced.some((table) => table.name === name));
  expect(silent, "call certctl_announce in the migration that makes the table").toEqual(quiet);
  expect(announced.filter(({ events }) => events !== 3)).toEqual([]);
  // Sessions are told of to those who watch with them, and to nobody else.
  const topics = new Set(announced.map(({ topic }) => topic).filter((topic) => topic !== "sessions"));
  expect([...topics].filter((topic) => !permissions.includes(`${topic}:read`))).toEqual([]);
});
