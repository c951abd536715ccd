import { describe, expect, test } from "vitest";
import { services } from "#gen/contract.ts";
import { permissions } from "../../../src/auth/roles.ts";
import { isConcerned, madeOf } from "./topics.ts";

const serviceOf = (name: string) => `certctl.v1.${name}`;

describe("an answer", () => {
  test.each([
    ["AgentService", { id: "ag-1" }, { topic: "agents", id: "ag-1" }, true],
    ["AgentService", { id: "ag-1" }, { topic: "agents", id: "ag-2" }, false],
    ["AgentService", { id: "ag-1" }, { topic: "agents", id: "" }, true],
    ["AgentService", { id: "" }, { topic: "agents", id: "ag-2" }, true],
    ["AgentService", {}, { topic: "agents", id: "ag-2" }, true],
    // What it is made of besides has ids of its own.
    ["AgentService", { id: "ag-1" }, { topic: "targets", id: "tgt-9" }, true],
    ["AgentService", {}, { topic: "teams", id: "t-1" }, false],
    ["StatsService", {}, { topic: "jobs", id: "job-1" }, true],
    ["StatsService", {}, { topic: "audit", id: "audit-1" }, false],
    ["AuditService", {}, { topic: "audit", id: "audit-1" }, true],
    ["JourneyService", { id: "mc-1" }, { topic: "certificates", id: "mc-1" }, true],
    ["JourneyService", { id: "mc-1" }, { topic: "certificates", id: "mc-2" }, false],
    ["ExplanationService", { id: "mc-1" }, { topic: "jobs", id: "job-1" }, false],
    ["ExplanationService", { id: "mc-1" }, { topic: "policies", id: "pr-1" }, true],
  ])("of %s to %j is concerned by %j: %s", (service, input, change, concerned) => {
    expect(isConcerned({ service: serviceOf(service), input }, [change])).toBe(concerned);
  });

  test("is concerned by one of many changes, and by none of none", () => {
    const call = { service: serviceOf("TeamService"), input: { id: "t-1" } };
    const others = [
      { topic: "teams", id: "t-2" },
      { topic: "jobs", id: "job-1" },
    ];
    expect(isConcerned(call, others)).toBe(false);
    expect(isConcerned(call, [...others, { topic: "teams", id: "t-1" }])).toBe(true);
    expect(isConcerned(call, [])).toBe(false);
  });
});

test("services are those that the contract has", () => {
  const known: readonly string[] = services.map(({ typeName }) => typeName);
  expect(Object.keys(madeOf).filter((name) => !known.includes(name))).toEqual([]);
});

test("topics are nouns that some permission reads", () => {
  const topics = new Set(Object.values(madeOf).flat());
  expect(topics.size).toBeGreaterThan(10);
  expect([...topics].filter((topic) => !permissions.includes(`${topic}:read`))).toEqual([]);
});
