import { describe, expect, test } from "vitest";
import { holdsPermission, isRestrictable, permissions, type roles } from "./roles.ts";

const heldBy = (role: (typeof roles)[number]) => permissions.filter((each) => holdsPermission(role, each));

describe("a role", () => {
  test("admin holds every permission, and an agent none", () => {
    expect(heldBy("admin")).toEqual(permissions);
    expect(heldBy("agent")).toEqual([]);
  });

  test("auditor reads the audit and who it is itself, is told of changes there, and nothing else", () => {
    expect(heldBy("auditor")).toEqual(["audit:read", "events:read", "session:read"]);
  });

  test("operator changes neither issuers, policies and notifiers nor keys, and reads no audit", () => {
    const operator = heldBy("operator");
    for (const resource of ["issuers", "policies", "renewal-policies", "notifiers", "api-keys", "audit"]) {
      expect(operator).not.toContain(`${resource}:write`);
    }
    expect(operator).not.toContain("audit:read");
    expect(operator).not.toContain("api-keys:read");
    expect(operator).toContain("certificates:renew");
  });

  test("viewer reads what an operator reads, and changes nothing but views of its own", () => {
    const viewer = heldBy("viewer");
    const isOpen = (permission: string) => permission.endsWith(":read") || permission === "saved-views:write";
    expect(viewer).toEqual(heldBy("operator").filter(isOpen));
  });
});

test("a key that is restricted to teams changes nothing that concerns the whole estate", () => {
  const open = permissions.filter(
    (permission) => !permission.endsWith(":read") && isRestrictable(permission),
  );
  expect(open).toEqual([
    "api-keys:write",
    "certificates:renew",
    "certificates:revoke",
    "certificates:write",
    "jobs:write",
    "notifications:write",
    "saved-views:write",
  ]);
  expect(isRestrictable("audit:read")).toBe(false);
});
