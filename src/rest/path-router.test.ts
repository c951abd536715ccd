import { describe, expect, test } from "vitest";
import { PathRouter, parseTemplate } from "./path-router.ts";

function routerOf(...bindings: string[]): PathRouter<string> {
  const router = new PathRouter<string>();
  for (const binding of bindings) {
    const [verb = "", template = ""] = binding.split(" ");
    router.add(verb, template, binding);
  }
  return router;
}

const router = routerOf(
  "GET /certificates",
  "POST /certificates",
  "GET /certificates/{id}",
  "DELETE /certificates/{id}",
  "POST /certificates/{id}/renew",
  "GET /certificates/summary",
  "POST /agents/{agent_id}/jobs/{job_id}/status",
);

function variablesOf(verb: string, path: string): Record<string, string> {
  const route = router.find(verb, path);
  if (route.kind !== "found") throw new Error(`${path} is ${route.kind}`);
  return Object.fromEntries(route.variables);
}

describe("path router", () => {
  test("finds what is bound to a verb and a path", () => {
    expect(router.find("POST", "/certificates")).toMatchObject({ value: "POST /certificates" });
    expect(variablesOf("POST", "/agents/ag-1/jobs/job-2/status")).toEqual({
      agent_id: "ag-1",
      job_id: "job-2",
    });
  });

  test("answers HEAD as GET", () => {
    expect(router.find("HEAD", "/certificates/mc-1")).toMatchObject({ value: "GET /certificates/{id}" });
  });

  test("prefers a literal to a variable, and falls back where the literal leads nowhere", () => {
    expect(router.find("GET", "/certificates/summary")).toMatchObject({ value: "GET /certificates/summary" });
    expect(variablesOf("POST", "/certificates/summary/renew")).toEqual({ id: "summary" });
    expect(variablesOf("DELETE", "/certificates/summary")).toEqual({ id: "summary" });
  });

  test("keeps an encoded slash inside its segment", () => {
    expect(variablesOf("GET", "/certificates/a%2Frenew")).toEqual({ id: "a/renew" });
    expect(variablesOf("GET", "/certificates/%E2%82%AC%20x")).toEqual({ id: "€ x" });
    expect(variablesOf("GET", "/certificates/urn:x:1")).toEqual({ id: "urn:x:1" });
  });

  test("names the verbs of a path that has others", () => {
    expect(router.find("PATCH", "/certificates/summary")).toEqual({
      kind: "other_verbs",
      allow: ["GET", "DELETE", "HEAD"],
    });
    expect(router.find("GET", "/certificates/mc-1/renew")).toEqual({ kind: "other_verbs", allow: ["POST"] });
  });

  test.each([
    "/",
    "/unknown",
    "/certificates/",
    "/certificates//renew",
    "/certificates/%zz",
    "/certificates/a/b",
  ])("does not know %s", (path) => {
    expect(router.find("GET", path)).toEqual({ kind: "unknown" });
  });

  test("refuses to bind a verb and path twice, whatever the variable is called", () => {
    expect(() => routerOf("GET /a/{id}", "GET /a/{name}")).toThrow("bound twice");
    expect(() => routerOf("GET /a/{id}", "PUT /a/{name}")).not.toThrow();
  });

  test.each(["a", "/", "/{a", "/{a}/{a}", "/{a=**}", "/a//b", "/a:cancel", "/**"])(
    "refuses the template %s",
    (template) => {
      expect(() => parseTemplate(template)).toThrow(template);
    },
  );
});
