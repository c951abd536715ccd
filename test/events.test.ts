import { afterAll, beforeAll, expect, test } from "vitest";
import { type EventStream, openEvents, type StreamEvent } from "./event-stream.ts";
import { type System, startSystem } from "./system.ts";

/** What a watcher hears of a running control plane. */

let system: System;
const parts = new AsyncDisposableStack();
beforeAll(async () => {
  system = parts.use(await startSystem());
});
afterAll(() => parts.disposeAsync());

const bearer = (apiKey = system.adminKey) => ({ authorization: `Bearer ${apiKey}` });
const newTeam = async (rest = system.rest) =>
  (await rest("POST", "/api/v1/teams", { name: `t-${Math.random()}` })).body.id as string;
const is = (topic: string, id: string) => (event: StreamEvent) =>
  event.changed?.topic === topic && event.changed.id === id;

async function newKey(wanted: object): Promise<{ id: string; api_key: string }> {
  return (await system.rest("POST", "/api/v1/api-keys", { name: "k", ...wanted })).body;
}

/** A stream that has begun: what is written from here on is told. */
async function watching(headers: Record<string, string>, query = ""): Promise<EventStream> {
  const stream = await openEvents(system, headers, query);
  await stream.until(({ heartbeat }) => heartbeat !== null);
  return stream;
}

test("a watcher hears of what another replica writes, by id, and goes on from its cursor", async () => {
  const replica = await system.startReplica();
  using stream = await watching(bearer());
  const first = await newTeam(replica);
  const { cursor } = await stream.until(is("teams", first));
  const second = await newTeam(replica);
  using later = await openEvents(system, bearer(), `?after_cursor=${cursor}`);
  await later.until(is("teams", second));
  using stranger = await openEvents(system, bearer(), "?after_cursor=elsewhere:7");
  await stranger.until(({ resync }) => resync !== null);
});

test("a watcher is told of the topics that it asked for and may read, and of nothing else", async () => {
  const { api_key: auditor } = await newKey({ role: "auditor" });
  using all = await watching(bearer());
  using teams = await watching(bearer(), "?topics=teams&topics=sessions");
  using audit = await watching(bearer(auditor));
  await system.rest("POST", "/api/v1/session", { api_key: system.adminKey }, { apiKey: null });
  const id = await newTeam();
  const isChange = ({ changed }: StreamEvent) => changed !== null;
  expect((await teams.until(isChange)).changed).toEqual({ topic: "teams", id });
  const told = await audit.until(isChange);
  expect(told.changed).toMatchObject({ topic: "audit", id: expect.stringMatching(/^audit-/) });
  const topics = new Set<string | undefined>();
  await all.until((event) => {
    topics.add(event.changed?.topic);
    return is("teams", id)(event);
  });
  expect(topics).toContain("audit");
  expect(topics).not.toContain("sessions");
});

test("a watcher whose key is restricted learns that something changed, not what", async () => {
  const { api_key: restricted } = await newKey({ role: "viewer", issuer_ids: ["iss-local"] });
  using stream = await watching(bearer(restricted));
  await newTeam();
  const { changed } = await stream.until((event) => event.changed !== null);
  expect(changed).toEqual({ topic: "teams", id: "" });
});

test("a watcher is cut off when its key is revoked, or is signed out", async () => {
  const { id, api_key: apiKey } = await newKey({ role: "viewer" });
  using stream = await watching(bearer(apiKey));
  await system.rest("DELETE", `/api/v1/api-keys/${id}`);
  await expect(stream.until(() => false)).rejects.toThrow("KEY_REVOKED");

  const signIn = { api_key: system.adminKey };
  const { headers } = await system.rest("POST", "/api/v1/session", signIn, { apiKey: null });
  const cookie = String(headers["set-cookie"]).split(";", 1)[0] ?? "";
  using signedIn = await watching({ cookie });
  const own = { apiKey: null, headers: { cookie, origin: system.url } };
  await system.rest("DELETE", "/api/v1/session", undefined, own);
  await expect(signedIn.until(() => false)).rejects.toThrow("SESSION_ENDED");
});

test("an agent, and who has no key, watch nothing", async () => {
  const { body: agent } = await system.rest("POST", "/api/v1/agents", { name: "x" });
  using refused = await openEvents(system, bearer(agent.api_key));
  using nobody = await openEvents(system, {});
  expect([refused.status, nobody.status]).toEqual([403, 401]);
});
