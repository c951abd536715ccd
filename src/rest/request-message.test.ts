import type { JsonObject } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { notFound } from "../platform/errors.ts";
import { describedService } from "./described-service.ts";
import { echoRoutes } from "./echo.ts";
import { startGateway } from "./gateway-fixture.ts";

const certificate = { name: "a", common_name: "a.test" };

describe("path, query and body", () => {
  test("an id keeps its encoded slash", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    expect((await gateway.h1("GET /api/v1/certificates/a%2Frenew")).json).toMatchObject({ id: "a/renew" });
    expect((await gateway.h1("POST /api/v1/certificates/a%2Frenew")).status).toBe(405);
  });

  test("the query fills the request's fields, lists by repetition", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const query = "page=2&perPage=10&status=Active&status=CERTIFICATE_STATUS_RENEWAL_IN_PROGRESS";
    expect((await gateway.h1(`GET /api/v1/certificates?${query}`)).json).toMatchObject({
      page: 2,
      per_page: 10,
      data: [{ status: "Active" }, { status: "RenewalInProgress" }],
    });
    expect((await gateway.h1("GET /api/v1/certificates/mc-1/versions")).json).toEqual({
      data: [],
      total: 0,
      page: 0,
      per_page: 0,
    });
  });

  test.each([
    ["page=0", ["page"]],
    ["per_page=0&page=00", ["per_page", "page"]],
    ["per_page=501", ["per_page"]],
    ["page=-1&per_page=x", ["page", "per_page"]],
    ["page=1&page=2", ["page"]],
    ["page=1&perPage=1&per_page=2", ["perPage", "per_page"]],
    ["status=Active&status=Lost&status=", ["status[1]", "status[2]"]],
    ["colour=red&__proto__=x&constructor=y", ["colour", "__proto__", "constructor"]],
  ])("refuses the query %s and names every parameter that is wrong", async (query, fields) => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const { status, json } = await gateway.h1(`GET /api/v1/certificates?${query}`);
    expect(status).toBe(400);
    expect(fieldsOf(json as JsonObject)).toEqual(fields);
  });

  test("a method that takes a body takes no query, and the path's variables are not in the query", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const posted = await gateway.h1("POST /api/v1/certificates/mc-1/deploy?version_id=v", { body: {} });
    expect(fieldsOf(posted.json as JsonObject)).toEqual(["version_id"]);
    const read = await gateway.h1("GET /api/v1/certificates/mc-1?id=mc-2");
    expect(fieldsOf(read.json as JsonObject)).toEqual(["id"]);
  });

  test("a path variable wins over the body, which must not name another", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const target = "PUT /api/v1/certificates/mc-1";
    for (const id of ["mc-1", "", null]) {
      const same = await gateway.h1(target, { body: { ...certificate, id } });
      expect(same).toMatchObject({ status: 200, json: { id: "mc-1" } });
    }
    const other = await gateway.h1(target, { body: { ...certificate, id: "mc-2", colour: 1 } });
    expect(other.status).toBe(400);
    expect(fieldsOf(other.json as JsonObject)).toEqual(["id", "colour"]);
    const camelCase = await gateway.h1("POST /api/v1/agents/ag-1/heartbeat", { body: { agentId: "ag-2" } });
    expect(fieldsOf(camelCase.json as JsonObject)).toEqual(["agentId"]);
  });

  test("every wrong field of the body is named, those that a rule refuses with their place in a list", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const typed = { ...certificate, name: 1, validity_seconds: "soon", key_algorithm: "DSA", colour: "red" };
    const wrongTypes = await gateway.h1("POST /api/v1/certificates", { body: typed });
    const wrongTypeFields = ["name", "validity_seconds", "key_algorithm", "colour"];
    expect(fieldsOf(wrongTypes.json as JsonObject)).toEqual(wrongTypeFields);
    const ruled = { name: "", common_name: "a", sans: ["b", ""], validity_seconds: 86_401 };
    const broken = await gateway.h1("POST /api/v1/certificates", { body: ruled });
    expect(broken).toMatchObject({ status: 400, json: { code: "invalid_argument", reason: "" } });
    expect(fieldsOf(broken.json as JsonObject).sort()).toEqual(["name", "sans[1]", "validity_seconds"]);
  });

  test("prototype keys are unknown fields", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const body = '{"name": "a", "agent_id": "ag-1", "__proto__": {"kind": "x"}, "config": {"__proto__": {}}}';
    const { status, json } = await gateway.h1("POST /api/v1/targets", { body });
    expect(status).toBe(400);
    expect(fieldsOf(json as JsonObject)).toEqual(["__proto__", "config.__proto__"]);
  });

  test("a Struct passes through", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const config = { cert_path: "/etc/nginx/a.pem", reload: ["nginx", "-s", "reload"], camelCase: null };
    const body = { name: "a", kind: "nginx", agent_id: "ag-1", config };
    expect((await gateway.h1("POST /api/v1/targets", { body })).json).toMatchObject({ config });
  });

  test("what was read can be written back", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const body = {
      ...certificate,
      key_algorithm: null,
      sans: ["a"],
      agent_id: "ag-1",
      validity_seconds: 86_400,
    };
    const { json } = await gateway.h1("PUT /api/v1/certificates/mc-1", { body });
    expect(json).toMatchObject({ ...body, id: "mc-1" });
  });
});

describe("a body that is one field of the request", () => {
  const service = describedService({
    Replace: {
      rule: { pattern: { case: "put", value: "/api/v1/things/{id}" }, body: "thing", responseBody: "thing" },
    },
  });
  const implementation: object = {
    replace: (request: JsonObject) => {
      if (request["count"] === 7) throw notFound("count", "7");
      return request;
    },
  };
  const echo = (router: ConnectRouter) => router.service(service, implementation);

  test("leaves the other fields to path and query", async () => {
    await using gateway = await startGateway({ routes: echo });
    const body = { name: "n", labels: { a: "b" } };
    const target = "PUT /api/v1/things/t-1?count=1";
    expect((await gateway.h1(target, { body })).json).toEqual({ id: "", ...body });
    expect((await gateway.h1(target)).json).toBeNull();
    expect((await gateway.h1("PUT /api/v1/things/t-1?count=7", { body })).status).toBe(404);
  });

  test("keeps the field's name out of the errors", async () => {
    await using gateway = await startGateway({ routes: echo });
    const body = { name: 1, labels: { a: 2 } };
    const { json } = await gateway.h1("PUT /api/v1/things/t-1?thing=x&count=x", { body });
    expect(fieldsOf(json as JsonObject)).toEqual(["thing", "name", 'labels["a"]', "count"]);
  });
});

function fieldsOf(json: JsonObject): string[] {
  return (json["details"] as JsonObject[]).map(({ field }) => String(field));
}
