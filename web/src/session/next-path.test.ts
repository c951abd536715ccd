import { expect, test } from "vitest";
import { pathOf } from "./next-path.ts";

test.each([
  ["/certificates?status=Expired", "/certificates?status=Expired"],
  ["/", "/"],
  [undefined, "/"],
  ["https://evil.example/", "/"],
  ["//evil.example/", "/"],
  ["/\\evil.example/", "/"],
  ["javascript:alert(1)", "/"],
  ["/sign-in?next=/audit", "/"],
])("after signing in, %s leads to %s", (next, path) => {
  expect(pathOf(next)).toBe(path);
});
