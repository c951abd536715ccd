import { createServiceImplSpec, type MethodImplSpec } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { bindingsOf } from "./binding.ts";
import { type DescribedMethod, describedService } from "./described-service.ts";

function bind(method: DescribedMethod) {
  const spec = createServiceImplSpec(describedService({ Do: method }), {}).methods["do"] as MethodImplSpec;
  return bindingsOf(spec, []);
}

function get(path: string) {
  return { case: "get", value: path } as const;
}

describe("bindings", () => {
  test("skips a method without an http rule", () => {
    expect(bind({})).toEqual([]);
    expect(bind({ isClientStream: true })).toEqual([]);
  });

  test("serves additional bindings, each with a body of its own", () => {
    const bindings = bind({
      rule: {
        pattern: { case: "put", value: "/things/{id}" },
        body: "thing",
        additionalBindings: [{ pattern: { case: "patch", value: "/things/{id}" }, body: "*" }],
      },
    });
    expect(bindings).toMatchObject([
      { verb: "PUT", body: { name: "thing" } },
      { verb: "PATCH", body: "*" },
    ]);
  });

  test.each([
    ["get", "/things", 200],
    ["put", "/things/{id}", 200],
    ["delete", "/things/{id}", 204],
    ["post", "/things", 201],
    ["post", "/things/{id}/start", 202],
  ] as const)("takes the status of %s %s from the convention", (verb, path, status) => {
    expect(bind({ rule: { pattern: { case: verb, value: path } } })).toMatchObject([{ status }]);
  });

  test("takes the status of success that a method names", () => {
    const pattern = { case: "post", value: "/things/{id}/start" } as const;
    expect(bind({ rule: { pattern }, successStatus: 200 })).toMatchObject([{ status: 200 }]);
    expect(() => bind({ rule: { pattern }, successStatus: 400 })).toThrow("400 is no status of success");
  });

  test.each<[string, DescribedMethod, string]>([
    ["a body field", { rule: { pattern: get("/things"), body: "other" } }, "has no field other"],
    ["a field of the answer", { rule: { pattern: get("/things"), responseBody: "other" } }, "no field other"],
    ["a path variable", { rule: { pattern: get("/things/{other}") } }, "has no field other"],
    ["a pattern", { rule: {} }, "must name get"],
    [
      "a verb",
      { rule: { pattern: { case: "custom", value: { kind: "FETCH", path: "/" } } } },
      "must name get",
    ],
    ["a path", { rule: { pattern: get("things/{id=**}") } }, "neither a literal"],
    ["a variable's type", { rule: { pattern: get("/things/{count}") } }, "must be a string field"],
    ["a variable in the body", { rule: { pattern: get("/things/{id}"), body: "id" } }, "outside the body"],
    ["a request stream", { rule: { pattern: get("/things") }, isClientStream: true }, "stream of requests"],
  ])("refuses a rule that is wrong in %s", (_, method, message) => {
    expect(() => bind(method)).toThrow(message);
    expect(() => bind(method)).toThrow("test.v1.ThingService.Do: ");
  });
});
