import { describe, expect, test } from "vitest";
import { type RunwayInput, runwayOf } from "./runway.ts";

const hourMs = 3_600_000;
const from = new Date("2030-06-01T00:00:00Z");
const later = (ms: number) => new Date(from.getTime() + ms);
const input = (changes: Partial<RunwayInput>): RunwayInput => ({
  from,
  until: later(24 * hourMs),
  made: null,
  perJob: 5,
  failureClass: "Network",
  isRenewing: true,
  ...changes,
});

describe("the runway", () => {
  test("counts the attempts of a job by its waits: at once, then after 1, 5, 15 and 60 minutes", () => {
    expect(runwayOf(input({ isRenewing: false }))).toEqual({
      attempts: 5,
      ofOpenJob: 0,
      firstAt: from,
      lastAt: later(81 * 60_000),
    });
  });

  test("ends where the certificate does", () => {
    expect(runwayOf(input({ until: later(6 * 60_000 + 1) })).attempts).toBe(3);
    expect(runwayOf(input({ until: from })).attempts).toBe(0);
  });

  test("goes on a day after a job that failed for good, where certctl renews", () => {
    expect(runwayOf(input({ until: later(26 * hourMs) })).attempts).toBe(9);
    expect(runwayOf(input({ until: later(26 * hourMs), isRenewing: false })).attempts).toBe(5);
  });

  test("begins in the open job, after the attempts that it has made", () => {
    expect(runwayOf(input({ made: 3, isRenewing: false }))).toMatchObject({
      attempts: 2,
      ofOpenJob: 2,
      lastAt: later(hourMs),
    });
  });

  test("waits as long as the class of the failure wants, and not at all for what somebody has to mend", () => {
    expect(runwayOf(input({ failureClass: "Refused" })).attempts).toBe(3);
    expect(runwayOf(input({ failureClass: "Configuration", until: later(49 * hourMs) })).attempts).toBe(3);
  });
});
