import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TeamService } from "#gen/certctl/v1/teams_pb.ts";
import { openCli } from "./cli.ts";
import { type System, startSystem } from "./system.ts";

/** Signing in by a browser, as a browser does it: a cookie, an Origin, a Host. */

let system: System;
const parts = new AsyncDisposableStack();
beforeAll(async () => {
  system = parts.use(await startSystem());
});
afterAll(() => parts.disposeAsync());

const anonymous = (headers: Record<string, string> = {}) => ({ apiKey: null, headers });
const signIn = (apiKey: string, headers = {}, at = system) =>
  at.rest("POST", "/api/v1/session", { api_key: apiKey }, anonymous(headers));

async function newKey(role: string): Promise<{ id: string; api_key: string }> {
  return (await system.rest("POST", "/api/v1/api-keys", { name: `a ${role}`, role })).body;
}

/** What the browser sends along with every request of the page. */
async function signedIn(apiKey: string): Promise<{ cookie: string; origin: string }> {
  const { headers } = await signIn(apiKey, { origin: system.url });
  return { cookie: String(headers["set-cookie"]).split(";", 1)[0] ?? "", origin: system.url };
}

describe("signing in", () => {
  test("sets a cookie that no script, no other host and no other site gets", async () => {
    const { status, headers, body } = await signIn(system.adminKey, { origin: system.url });
    expect(status).toBe(201);
    expect(headers["set-cookie"]).toEqual([
      expect.stringMatching(
        /^__Host-certctl=ss-[^;]+; Path=\/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict$/,
      ),
    ]);
    expect(JSON.stringify(body)).not.toContain(String(headers["set-cookie"]).split(/[=;]/)[1]);
    expect(body).toMatchObject({ role: "admin", principal_id: system.adminKey.split("_")[0] });
  });

  test("says who signed in, what he may do, and with what he speaks, until he signs out", async () => {
    const { id, api_key: apiKey } = await newKey("viewer");
    const own = anonymous(await signedIn(apiKey));
    const { body } = await system.rest("GET", "/api/v1/session", undefined, own);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^ss-/),
      principal_id: id,
      name: "a viewer",
      role: "viewer",
      server: { version: "0.1.0", keygen_mode: "agent", auth_type: "api-key" },
    });
    expect(body.permissions).toContain("certificates:read");
    expect(body.permissions).not.toContain("certificates:write");
    expect(Date.parse(body.expires_at) - Date.parse(body.idle_ends_at)).toBe(11.5 * 3_600_000);
    expect((await system.rest("GET", "/api/v1/certificates", undefined, own)).status).toBe(200);
    const out = await system.rest("DELETE", "/api/v1/session", undefined, own);
    expect(out).toMatchObject({ status: 204 });
    expect(out.headers["set-cookie"]).toEqual([
      expect.stringContaining("__Host-certctl=; Path=/; Max-Age=0;"),
    ]);
    const after = await system.rest("GET", "/api/v1/session", undefined, own);
    expect(after).toMatchObject({ status: 401, body: { reason: "SESSION_ENDED" } });
  });

  test("is refused from another's page, and to an agent", async () => {
    expect((await signIn(system.adminKey, { origin: "https://evil.example" })).status).toBe(403);
    const { body: agent } = await system.rest("POST", "/api/v1/agents", { name: "x" });
    expect(await signIn(agent.api_key)).toMatchObject({ status: 401 });
  });
});

describe("a session", () => {
  test("changes something only for certctl's own page, by REST and by Connect", async () => {
    const { cookie } = await signedIn(system.adminKey);
    const create = (headers: Record<string, string>) =>
      system.rest("POST", "/api/v1/teams", { name: `t-${Math.random()}` }, anonymous({ cookie, ...headers }));
    expect((await create({ origin: system.url })).status).toBe(201);
    expect((await create({})).status).toBe(403);
    expect((await create({ origin: "https://evil.example" })).status).toBe(403);
    const transport = createConnectTransport({
      baseUrl: system.url,
      httpVersion: "2",
      nodeOptions: { ca: system.ca },
    });
    const { createTeam } = createClient(TeamService, transport);
    const refused = await createTeam({ name: "c" }, { headers: { cookie } }).then(
      () => null,
      ConnectError.from,
    );
    expect(refused?.message).toContain("Origin");
    const answer = await createTeam({ name: "c" }, { headers: { cookie, origin: system.url } });
    expect(answer.team?.name).toBe("c");
  });

  test("does nothing for an agent's calls, and nothing where a key is given as well", async () => {
    const own = await signedIn(system.adminKey);
    await system.rest("POST", "/api/v1/agents", { id: "ag-x", name: "x" });
    const heartbeat = await system.rest("POST", "/api/v1/agents/ag-x/heartbeat", {}, anonymous(own));
    expect(heartbeat).toMatchObject({ status: 403, body: { message: "only agents may call this" } });
    const { api_key: apiKey } = await newKey("viewer");
    const both = { apiKey, headers: own };
    expect((await system.rest("GET", "/api/v1/session", undefined, both)).body).toMatchObject({
      role: "viewer",
      id: "",
    });
  });

  test("ends at once with its key", async () => {
    const { id, api_key: apiKey } = await newKey("operator");
    const own = anonymous(await signedIn(apiKey));
    await system.rest("DELETE", `/api/v1/api-keys/${id}`);
    expect((await system.rest("GET", "/api/v1/session", undefined, own)).status).toBe(401);
  });
});

describe("who calls", () => {
  test("is said to a key, too, and to nobody else", async () => {
    await using cli = await openCli(system);
    const { out } = await cli.run(["session", "get"]);
    expect(out).toMatch(/role +admin/);
    expect((await system.rest("GET", "/api/v1/session", undefined, anonymous())).status).toBe(401);
  });

  test("is the anonymous admin where no key is asked for, whatever cookie was left", async () => {
    await using keyless = await startSystem({ env: { CERTCTL_AUTH_TYPE: "none" } });
    const headers = { cookie: `__Host-certctl=ss-gone_${"A".repeat(43)}` };
    const { body } = await keyless.rest("GET", "/api/v1/session", undefined, anonymous(headers));
    expect(body).toMatchObject({ principal_id: "anonymous-admin", role: "admin", expires_at: null });
    const refused = await signIn(keyless.adminKey, {}, keyless);
    expect(refused).toMatchObject({ status: 409, body: { reason: "NO_SIGN_IN" } });
  });
});

test("failed attempts close the address, and are written down without filling the audit", async () => {
  await using limited = await startSystem({ env: { CERTCTL_AUTH_FAILURES_PER_MINUTE: "8" } });
  const guess = `ak-guess_${"A".repeat(43)}`;
  await limited.rest("GET", "/api/v1/audit");
  const answers: number[] = [];
  for (let count = 0; count < 9; count += 1) answers.push((await signIn(guess, {}, limited)).status);
  expect(answers).toEqual([401, 401, 401, 401, 401, 401, 401, 401, 429]);
  const { body } = await limited.rest("GET", "/api/v1/audit?action=sign_in_failed");
  expect(body.total).toBe(3);
  expect(body.data[0]).toMatchObject({ resource_id: "ak-guess", details: { why: expect.any(String) } });
  expect(JSON.stringify(body)).not.toContain("AAAAAAAA");
});

describe("a request to a name that is not the server's", () => {
  test.each(["evil.example", "localhost.evil.example:8443", "192.0.2.7", "[2001:db8::1]:8443"])(
    "such as %s is answered 421",
    async (host) => {
      for (const path of ["/api/v1/session", "/", "/certctl.v1.TeamService/ListTeams"])
        expect((await system.rest("GET", path, undefined, anonymous({ host }))).status).toBe(421);
    },
  );

  test("is taken when it is this machine's, the configured one, or asks for health", async () => {
    await using named = await startSystem({ env: { CERTCTL_SERVER_URL: "https://certctl.example.test" } });
    const status = async (host: string, path = "/openapi.json") =>
      (await named.rest("GET", path, undefined, anonymous({ host }))).status;
    for (const host of [
      "localhost:1",
      "127.0.0.1",
      "[::1]:8443",
      "CERTCTL.example.test",
      "certctl.example.test:443",
    ])
      expect(await status(host), host).toBe(200);
    expect(await status("other.example.test")).toBe(421);
    expect([await status("10.0.0.9:8443", "/health"), await status("10.0.0.9:8443", "/ready")]).toEqual([
      200, 200,
    ]);
  });
});
