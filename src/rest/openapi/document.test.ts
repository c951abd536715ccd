import type { JsonObject } from "@bufbuild/protobuf";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { comments, services } from "#gen/contract.ts";
import { describedService } from "../described-service.ts";
import { openApiDocument } from "./document.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into a document of every shape
const document = openApiDocument(services, comments) as any;
const { schemas } = document.components;

/** The properties of what an operation takes. */
const bodyOf = (path: string, verb: string) =>
  document.paths[path][verb].requestBody.content["application/json"].schema;

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(document as JsonObject);
    expect(result.errors ?? []).toEqual([]);
    expect(document.openapi).toBe("3.1.0");
  });

  test("gives each operation an id of its own and a permission, or says that it is open", () => {
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const operations = Object.values(document.paths).flatMap((path: any) => Object.values<any>(path));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const operation of operations)
      expect([operation.operationId, operation["x-permission"] ?? operation.security]).not.toContain(
        undefined,
      );
    expect(document.paths["/api/v1/certificates"].post["x-permission"]).toBe("certificates:write");
    expect(document.paths["/api/v1/enroll"].post.security).toEqual([]);
    expect(document.paths["/api/v1/agents/{agent_id}/heartbeat"].post).toMatchObject({
      "x-permission": "agent",
      security: [{ apiKey: [] }, { clientCertificate: [] }],
    });
  });

  test("has the statuses that the gateway answers with, and the refusals that can occur", () => {
    const statuses = (path: string, verb: string) =>
      Object.keys(document.paths[path][verb].responses).map(Number);
    expect(statuses("/api/v1/certificates", "get")).toEqual([200, 400, 401, 403, 429]);
    expect(statuses("/api/v1/certificates", "post")).toEqual([201, 400, 401, 403, 404, 409, 413, 415, 429]);
    expect(statuses("/api/v1/certificates/{id}/renew", "post")).toContain(202);
    expect(statuses("/api/v1/certificates/{id}", "delete")).toEqual([204, 400, 401, 403, 404, 409, 429]);
    expect(statuses("/api/v1/trust-bundle", "get")).toEqual([200, 400, 429]);
  });

  test("begins with what people call; what agents speak comes last", () => {
    const names = (document["tags"] as { name: string }[]).map(({ name }) => name);
    expect(names[0]).toBe("Agent");
    expect(names.at(-1)).toBe("AgentWork");
  });

  test("takes its descriptions from the protos' comments", () => {
    expect(document.paths["/api/v1/certificates/{id}"].get.summary).toBe(
      "Reads one certificate; an archived one still answers.",
    );
    expect(schemas.Certificate.properties.serial_number.description).toContain("upper-case hexadecimal");
    expect(schemas.CertificateStatus.description).toContain("- Pending: Never issued.");
  });

  test("says of a request what buf.validate asks of it", () => {
    const { properties, required, additionalProperties } = bodyOf("/api/v1/certificates", "post");
    expect(required).toEqual(["name", "common_name"]);
    expect(additionalProperties).toBe(false);
    expect(properties.name).toMatchObject({ type: "string", minLength: 1, maxLength: 128 });
    expect(properties.sans).toMatchObject({
      maxItems: 100,
      items: { type: "string", minLength: 1, maxLength: 253 },
    });
    expect(properties.target_ids).toMatchObject({ uniqueItems: true });
    expect(properties.validity_seconds).toMatchObject({
      anyOf: [{ type: "integer", minimum: 86_400, maximum: 34_387_200 }, { const: 0 }],
      description: expect.stringContaining("Must be a multiple of 86400."),
    });
    const key = bodyOf("/api/v1/api-keys", "post");
    expect(key.required).toEqual(["name", "role"]);
    expect(key.properties.role).toMatchObject({ $ref: "#/components/schemas/ApiKeyRole" });
    const { parameters } = document.paths["/api/v1/certificates"].get;
    expect(parameters.find(({ name }: { name: string }) => name === "per_page").schema).toEqual({
      type: "integer",
      minimum: 1,
      maximum: 500,
    });
  });

  test("leaves to the path what the path names", () => {
    const { parameters, requestBody } = document.paths["/api/v1/certificates/{id}"].put;
    expect(parameters).toMatchObject([{ name: "id", in: "path", required: true }]);
    expect(Object.keys(requestBody.content["application/json"].schema.properties)).not.toContain("id");
  });

  test("says of an answer that every field is there, and which may be null", () => {
    const { properties, required } = schemas.Certificate;
    expect(required).toEqual(Object.keys(properties));
    expect(properties.expires_at).toMatchObject({ type: ["string", "null"], format: "date-time" });
    expect(properties.status).toMatchObject({
      anyOf: [{ $ref: "#/components/schemas/CertificateStatus" }, { type: "null" }],
    });
    expect(schemas.KeyAlgorithm.enum).toContain("ECDSA-P256");
    expect(schemas.JobStatus.enum).toContain("AwaitingCSR");
  });

  test("offers a stream as lines of JSON, as server-sent events and as a table", () => {
    const { content } = document.paths["/api/v1/jobs/{id}/watch"].get.responses["200"];
    const schema = { $ref: "#/components/schemas/Job" };
    expect(content).toEqual({
      "application/x-ndjson": { schema },
      "text/event-stream": { schema },
      "text/csv": { schema: { type: "string" } },
    });
  });

  test("describes a body that is one field, with the rest in the query, and several paths of one method", () => {
    const service = describedService({
      Put: {
        rule: {
          pattern: { case: "put", value: "/api/v1/things/{id}" },
          body: "thing",
          additionalBindings: [{ pattern: { case: "get", value: "/api/v1/things/{id}/other" } }],
        },
      },
    });
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const { paths } = openApiDocument([service], {}) as any;
    expect(paths["/api/v1/things/{id}"].put).toMatchObject({
      operationId: "put",
      parameters: [
        { name: "id", in: "path" },
        { name: "count", in: "query" },
        { name: "raw", in: "query" },
      ],
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: { anyOf: [{ $ref: "#/components/schemas/ThingInput" }, { type: "null" }] },
          },
        },
      },
    });
    expect(paths["/api/v1/things/{id}/other"].get.operationId).toBe("put2");
  });
});
