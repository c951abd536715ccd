import { type ConnectRouter, createContextValues, type Interceptor } from "@connectrpc/connect";
import { createValidateInterceptor } from "@connectrpc/validate";
import { describe, expect, test } from "vitest";
import { CertificateService, KeyAlgorithm } from "#gen/certctl/v1/certificates_pb.ts";
import { notFound, unauthenticated } from "../platform/errors.ts";
import { requestIdKey } from "../platform/request.ts";
import { echoRoutes } from "./echo.ts";
import { startGateway } from "./gateway-fixture.ts";

const certificate = { name: "a", common_name: "a.test" };

describe.each(["h1", "h2"] as const)("REST over %s", (protocol) => {
  test("answers GET with 200, every field present", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const { status, json, headers } = await gateway[protocol]("GET /api/v1/certificates/mc-1");
    expect(status).toBe(200);
    expect(json).toMatchObject({ id: "mc-1", common_name: "", sans: [], status: null, expires_at: null });
    expect(headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "x-request-id": "req-1",
      "cache-control": "no-store",
    });
  });

  test("answers HEAD as GET without the body", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const get = await gateway[protocol]("GET /api/v1/certificates/mc-1");
    const head = await gateway[protocol]("HEAD /api/v1/certificates/mc-1");
    expect(head).toMatchObject({ status: 200, text: "" });
    expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
  });

  test("answers a creation with 201 and where the resource is", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const body = { ...certificate, key_algorithm: "RSA-3072" };
    const { status, json, headers } = await gateway[protocol]("POST /api/v1/certificates?", { body });
    expect(status).toBe(201);
    expect(json).toMatchObject({ ...body, id: "mc/made" });
    expect(headers["location"]).toBe("/api/v1/certificates/mc%2Fmade");
  });

  test("names no place where the answer has no id", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const body = { token: "jt-1", csr_pem: "x" };
    const { status, headers } = await gateway[protocol]("POST /api/v1/enroll", { body });
    expect(status).toBe(201);
    expect(headers).not.toHaveProperty("location");
  });

  test("answers PUT with 200, DELETE with 204 and an action with 202", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const ask = gateway[protocol];
    expect(await ask("PUT /api/v1/certificates/mc-1", { body: certificate })).toMatchObject({ status: 200 });
    expect(await ask("DELETE /api/v1/certificates/mc-1")).toMatchObject({ status: 204, text: "" });
    const renewal = await ask("POST /api/v1/certificates/mc-1/renew");
    expect(renewal).toMatchObject({ status: 202, json: { status: "accepted", job_id: "job-of-mc-1" } });
  });

  test("answers with the status of success that a method names", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const { status, json } = await gateway[protocol]("POST /api/v1/agents/ag-1/heartbeat", { body: {} });
    expect(status).toBe(200);
    expect(json).toMatchObject({ destroy_key_ids: ["ag-1"], leases: [], epoch_current: false });
  });

  test("answers 404 for an unknown route and 405 with the verbs of a known one", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    const unknown = await gateway[protocol]("GET /api/v1/unknown");
    expect(unknown).toMatchObject({ status: 404, json: { code: "not_found", request_id: "req-1" } });
    const other = await gateway[protocol]("PATCH /api/v1/certificates/mc-1", { body: {} });
    expect(other).toMatchObject({ status: 405, json: { error: "Method Not Allowed" } });
    expect(other.headers["allow"]).toBe("GET, PUT, DELETE, HEAD");
  });

  test("leaves other paths alone, and methods without an http rule", async () => {
    await using gateway = await startGateway({ routes: echoRoutes });
    expect(await gateway[protocol]("GET /health")).toMatchObject({ status: 418 });
    expect(await gateway[protocol]("GET /api/v1")).toMatchObject({ status: 418 });
    expect(await gateway[protocol]("POST /api/v1/certctl.v1.AgentWorkService/WorkStream")).toMatchObject({
      status: 404,
    });
  });
});

describe("calls", () => {
  test("run each interceptor once, the first outermost, around the implementation", async () => {
    const seen: string[] = [];
    const named =
      (name: string): Interceptor =>
      (next) =>
      async (request) => {
        seen.push(
          `${name} ${request.method.name} ${request.header.get("x-caller")} ${request.requestMethod}`,
        );
        request.header.set("x-caller", name);
        const answer = await next(request);
        answer.header.set(`x-${name}`, "1");
        return answer;
      };
    await using gateway = await startGateway({
      interceptors: [named("outer"), createValidateInterceptor(), named("inner")],
      routes: (router) =>
        router.service(CertificateService, {
          getCertificate: ({ id }, context) => {
            seen.push(`implementation ${context.requestHeader.get("x-caller")} ${context.url}`);
            context.responseHeader.set("etag", '"1"');
            return { certificate: { id } };
          },
        }),
    });
    const headers = { "x-caller": "client" };
    const answer = await gateway.h2("GET /api/v1/certificates/mc-1?", { headers });
    expect(seen).toEqual([
      "outer GetCertificate client GET",
      "inner GetCertificate outer GET",
      `implementation inner ${gateway.origins.h2}/api/v1/certificates/mc-1?`,
    ]);
    expect(answer.headers).toMatchObject({ "x-outer": "1", "x-inner": "1", etag: '"1"' });
  });

  test("are admitted before their body is read, with the values that the implementation sees", async () => {
    const admitted: string[] = [];
    await using gateway = await startGateway({
      routes: (router) =>
        router.service(CertificateService, {
          createCertificate: (_, { values }) => ({ certificate: { id: values.get(requestIdKey) } }),
        }),
      contextValues: (request) => createContextValues().set(requestIdKey, String(request.headers["x-id"])),
      before: async (request, method, values) => {
        admitted.push(`${method.name} ${values.get(requestIdKey)}`);
        if (request.headers.authorization === undefined) throw unauthenticated("a credential is needed");
      },
    });
    const headers = { "x-id": "req-7" };
    const refused = await gateway.h1("POST /api/v1/certificates", { headers, body: "not JSON" });
    expect(refused).toMatchObject({ status: 401, json: { request_id: "req-7" } });
    const authorized = { ...headers, authorization: "Bearer x" };
    const created = await gateway.h1("POST /api/v1/certificates", { headers: authorized, body: certificate });
    expect(created).toMatchObject({ status: 201, json: { id: "req-7" } });
    expect(admitted).toEqual(["CreateCertificate req-7", "CreateCertificate req-7"]);
  });

  test("may be registered method by method, with interceptors of their own", async () => {
    const refuse: Interceptor = () => () => Promise.reject(notFound("anything", "at all"));
    await using gateway = await startGateway({
      routes: (router) =>
        router
          .rpc(CertificateService.method.getCertificate, () => ({ certificate: { id: "mc-1" } }))
          .rpc(CertificateService.method.deleteCertificate, () => ({}), { interceptors: [refuse] }),
    });
    expect((await gateway.h1("GET /api/v1/certificates/mc-1")).status).toBe(200);
    expect((await gateway.h1("DELETE /api/v1/certificates/mc-1")).status).toBe(404);
  });

  test("keep an unset enum out of the request", async () => {
    const algorithms: KeyAlgorithm[] = [];
    await using gateway = await startGateway({
      routes: (router) =>
        router.service(CertificateService, {
          createCertificate: ({ keyAlgorithm }) => {
            algorithms.push(keyAlgorithm);
            return {};
          },
        }),
    });
    const answer = await gateway.h1("POST /api/v1/certificates", { body: certificate });
    expect(answer).toMatchObject({ status: 201, json: null });
    expect(algorithms).toEqual([KeyAlgorithm.UNSPECIFIED]);
  });
});

test("a gateway whose methods share a verb and path does not start", async () => {
  const twice = (router: ConnectRouter) => {
    echoRoutes(router);
    echoRoutes(router);
  };
  await expect(startGateway({ routes: twice })).rejects.toThrow("bound twice");
});
