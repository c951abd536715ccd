import { readFile } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf } from "./database-digest.ts";
import { type Case, cases, creations, type Stage } from "./operation-cases.ts";
import { type Operation, operationsOf } from "./operations.ts";
import type { Rest, RestAnswer } from "./rest.ts";
import { startSystem } from "./system.ts";

/** Every operation that /openapi.json lists, called on a real server, and what each route refuses. */

const document = JSON.parse(await readFile("docs/openapi.json", "utf8"));
const operations = operationsOf(document);

let parts: AsyncDisposableStack;
let stage: Stage;
let count = 0;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  const system = parts.use(await startSystem());
  parts.use(await system.startAgent("ag-live"));
  const { body: silent } = await system.rest("POST", "/api/v1/agents", { id: "ag-silent", name: "silent" });
  const certificate = { name: "issued", common_name: "issued.example.test", agent_id: "ag-live" };
  const { body: issued } = await system.rest("POST", "/api/v1/certificates", certificate);
  const job = await system.renew(issued.id);
  stage = {
    system,
    agentId: "ag-live",
    silentAgent: { id: "ag-silent", apiKey: silent.api_key },
    certificateId: issued.id,
    jobId: job.id,
  };
});

afterAll(() => parts.disposeAsync());

beforeAll(async () => {
  const client = new Client({ connectionString: stage.system.databaseUrl });
  await client.connect();
  await client.query(
    `ALTER TABLE audit_events ADD CONSTRAINT refused CHECK (request_id NOT LIKE '${refusedPrefix}%')`,
  );
  await client.end();
});

/** A resource that no other case touches. */
async function newResource(resource: string): Promise<RestAnswer["body"]> {
  const creation = creations[resource];
  if (!creation) throw new Error(`test/operation-cases.ts does not say how to create ${resource}`);
  count += 1;
  const { status, body } = await stage.system.rest(
    "POST",
    `/api/v1/${resource}`,
    await creation(`case-${count}`, stage),
  );
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
}

/** What an operation does with a resource that every resource has. */
function commonUse({ verb, path, resource }: Operation): "list" | "create" | "one" | "restore" | null {
  if (path === `/api/v1/${resource}/{id}/restore`) return creations[resource] ? "restore" : null;
  if (path === `/api/v1/${resource}/{id}`) return creations[resource] ? "one" : null;
  if (verb === "GET" && !path.includes("{")) return "list";
  return verb === "POST" && path === `/api/v1/${resource}` && creations[resource] ? "create" : null;
}

/** How an operation is called: by its case, or by what every resource has. */
async function caseOf(operation: Operation): Promise<Case> {
  const { resource, path, bodyFields, hasBody } = operation;
  const own = (await cases[operation.id]?.(stage)) ?? {};
  const use = commonUse(operation);
  if (use === "create") {
    count += 1;
    return { body: await creations[resource]?.(`case-${count}`, stage), ...own };
  }
  if (own.path?.["id"] !== undefined || !path.includes("{id}")) return own;
  const made = await newResource(resource);
  if (use === "restore") await stage.system.rest("DELETE", `/api/v1/${resource}/${made.id}`);
  const read = Object.fromEntries(bodyFields.flatMap((name) => (name in made ? [[name, made[name]]] : [])));
  return { ...(hasBody ? { body: read } : {}), ...own, path: { id: made.id, ...own.path } };
}

function urlOf({ path }: Operation, { path: variables = {}, query = "" }: Case): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = variables[name] ?? (name === "agent_id" ? stage.silentAgent.id : undefined);
    if (value === undefined) throw new Error(`the case does not say what {${name}} is`);
    return encodeURIComponent(value);
  });
  return `${filled}${query === "" ? "" : `?${query}`}`;
}

function send(operation: Operation, given: Case, options: Parameters<Rest>[3] = {}) {
  const own = given.isAgent ? { apiKey: stage.silentAgent.apiKey } : {};
  const headers = { ...given.headers, ...options.headers };
  return stage.system.rest(operation.verb, urlOf(operation, given), given.body, {
    ...own,
    ...options,
    headers,
  });
}

/** Holds an answer to the document: a status that it lists, a body as it says. */
function expectDocumented(operation: Operation, { status, headers, body }: RestAnswer): void {
  expect(operation.statuses, `${operation.id} answered ${status}: ${JSON.stringify(body)}`).toContain(status);
  const isLines = String(headers["content-type"]).startsWith("application/x-ndjson");
  const bodies = isLines
    ? String(body)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [body];
  for (const each of bodies) expect(operation.problemWith(status, each), JSON.stringify(each)).toBeNull();
}

const called = operations.filter((operation) => operation.id in cases || commonUse(operation) !== null);

test("every operation has a case", () => {
  const missing = operations.filter((operation) => !called.includes(operation)).map(({ id }) => id);
  expect(missing, "add them to test/operation-cases.ts").toEqual([]);
});

/** What changes something that people answer for. Signs of life and progress are no changes, and no notification is unread. */
const unaudited = ["heartbeat", "reportProgress", "reportProbe", "reportChallenge", "markNotificationsRead"];
const refused = Object.entries(cases).filter(([, given]) => /status: [45]/.test(given.toString()));
const changes = called.filter(
  ({ id, verb, path }) =>
    verb !== "GET" &&
    !path.endsWith("/dry-run") &&
    !unaudited.includes(id) &&
    !refused.some(([name]) => name === id),
);
/** Audit rows of such a request are refused by the database. */
const refusedPrefix = "refused-by-the-database-";

/** A fingerprint of what is stored, once nothing in the background changes it any more. */
async function settledDigest(databaseUrl: string): Promise<Record<string, string>> {
  let seen = await digestOf(databaseUrl);
  await expect
    .poll(async () => {
      const before = seen;
      seen = await digestOf(databaseUrl);
      return JSON.stringify(seen) === JSON.stringify(before);
    })
    .toBe(true);
  return seen;
}

const names = called.map((operation) => [`${operation.verb} ${operation.path}`, operation] as const);

test("the server's document is the one that is published", async () => {
  const { body } = await stage.system.rest("GET", "/openapi.json", undefined, { apiKey: null });
  expect(body).toEqual(document);
});

describe.each(names)("%s", (_, operation) => {
  const { permission, path, hasBody, verb } = operation;

  test("answers as documented", async () => {
    const given = await caseOf(operation);
    const answer = await send(operation, given);
    const wanted = given.status ?? operation.statuses.find((status) => status < 300);
    expect(answer.status, JSON.stringify(answer.body)).toBe(wanted);
    expectDocumented(operation, answer);
  });

  test("refuses who has no credential, and who has one of the wrong kind", async () => {
    if (permission === undefined) return;
    const given = await caseOf(operation);
    const nobody = await send(operation, given, { apiKey: null });
    expect(nobody).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
    expectDocumented(operation, nobody);
    const other = given.isAgent ? stage.system.adminKey : stage.silentAgent.apiKey;
    const denied = await send(operation, given, { apiKey: other });
    expect(denied.status).toBe(403);
    expectDocumented(operation, denied);
  });

  test("refuses what it does not know: a parameter, a field", async () => {
    const given = await caseOf(operation);
    const parameter = await send(operation, { ...given, query: "surprise=1" });
    expect(parameter).toMatchObject({ status: 400, body: { details: [{ field: "surprise" }] } });
    expectDocumented(operation, parameter);
    if (!hasBody) return;
    const field = await send(operation, { ...given, body: { ...(given.body as object), surprise: 1 } });
    expect(field).toMatchObject({ status: 400, body: { details: [{ field: "surprise" }] } });
    expectDocumented(operation, field);
  });

  if (path.includes("{id}"))
    test("does not know an id that was never given", async () => {
      const given = await caseOf(operation);
      const [prefix = ""] = (given.path?.["id"] ?? "").split("-");
      const answer = await send(operation, { ...given, path: { ...given.path, id: `${prefix}-nothing` } });
      expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 404, body: { code: "not_found" } });
      expectDocumented(operation, answer);
    });

  if (hasBody)
    test("refuses a body that is too large, and one that is not JSON", async () => {
      const given = await caseOf(operation);
      const large = await send(operation, given, { raw: JSON.stringify({ text: "x".repeat(1_100_000) }) });
      expect(large).toMatchObject({ status: 413, body: { code: "resource_exhausted" } });
      expectDocumented(operation, large);
      const broken = await send(operation, given, { raw: "{" });
      expect(broken).toMatchObject({ status: 400, body: { message: "the body is not JSON" } });
      expectDocumented(operation, broken);
    });

  if (changes.includes(operation))
    test("writes its audit row with the change, or changes nothing", async () => {
      const given = await caseOf(operation);
      const { databaseUrl } = stage.system;
      const before = await settledDigest(databaseUrl);
      const blocked = await send(operation, given, { headers: { "x-request-id": `${refusedPrefix}1` } });
      expect(blocked.status, JSON.stringify(blocked.body)).toBe(500);
      expect(await digestOf(databaseUrl)).toEqual(before);
      const { status, headers, body } = await send(operation, given);
      expect(status, JSON.stringify(body)).toBeLessThan(300);
      const { body: audit } = await stage.system.rest(
        "GET",
        `/api/v1/audit?request_id=${headers["x-request-id"]}`,
      );
      expect(audit.total).toBeGreaterThan(0);
    });

  test("names the verbs that its path has", async () => {
    const answer = await send({ ...operation, verb: "PATCH" }, await caseOf(operation));
    expect(answer.status).toBe(405);
    expect(String(answer.headers["allow"]).split(", ")).toContain(verb);
  });
});

describe("the reference page", () => {
  const page = (path: string) => stage.system.rest("GET", path, undefined, { apiKey: null });

  test("comes whole from this server, under a policy that lets nothing else in and runs no inline script", async () => {
    const { status, headers, body } = await page("/api/docs");
    expect(status).toBe(200);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain("unsafe");
    const links = Array.from(body.matchAll(/(?:src|href)="([^"]+)"/g), ([, link]) => link as string);
    expect(links.filter((link) => !link.startsWith("/api/docs/") && !link.startsWith("data:"))).toEqual([]);
    expect(body).not.toMatch(/<script(?![^>]* src=)|\son\w+=/);
    for (const link of links.filter((each) => each.startsWith("/")))
      expect(await page(link), link).toMatchObject({ status: 200 });
    expect((await page("/api/docs/start.js")).body).toContain('url: "/openapi.json"');
    expect((await page("/api/docs/swagger-ui-bundle.js")).body).toContain("SwaggerUIBundle");
    expect(await page("/api/docs/nothing.js")).toMatchObject({ status: 404 });
  });
});
