import { expect, test } from "vitest";
import { readParameters } from "../../url/search.ts";
import { auditParameters, filterOf, isFiltered, momentOf } from "./parameters.ts";

const now = new Date("2030-06-01T12:00:00Z");

test.each([
  ["-24h", "2030-05-31T12:00:00.000Z"],
  ["-30m", "2030-06-01T11:30:00.000Z"],
  ["-7d", "2030-05-25T12:00:00.000Z"],
  ["2030-01-01T00:00", new Date("2030-01-01T00:00").toISOString()],
  ["", undefined],
  ["yesterday", undefined],
  ["-1y", undefined],
])("%j is the moment %s", (value, moment) => {
  expect(momentOf(value, now)?.toISOString()).toBe(moment);
});

test("an unknown actor type filters by nothing", () => {
  const values = readParameters(auditParameters, { type: "Agent,Ghost", action: "team_created", page: "2" });
  expect(filterOf(values, now)).toMatchObject({ actorType: [2], action: ["team_created"] });
  expect(isFiltered(values)).toBe(true);
  expect(isFiltered(readParameters(auditParameters, { page: "2", peek: "audit-1" }))).toBe(false);
});
