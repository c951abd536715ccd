import { describe, expect, test } from "vitest";
import { type Standing, sentenceOf } from "./sentence.ts";
import type { ServedTarget } from "./targets.ts";

const dayMs = 86_400_000;
const now = new Date("2030-06-01T12:00:00Z");
const inDays = (days: number) => new Date(now.getTime() + days * dayMs);

const standing = (changes: Partial<Standing>): Standing => ({
  status: "Active",
  schedule: "OnPlan",
  expiresAt: inDays(24),
  renewAt: inDays(9),
  autoRenew: true,
  archivedAt: null,
  lastError: "",
  targets: [],
  brokenRules: 0,
  ...changes,
});
const target = (name: string, changes: Partial<ServedTarget> = {}): ServedTarget => ({
  id: name,
  name,
  expectedNumber: 7,
  expectedFingerprint: "aa",
  servedNumber: 7,
  servedFingerprint: "aa",
  servedAt: now,
  ...changes,
});
const stray = (name: string) => target(name, { servedNumber: 6, servedFingerprint: "bb" });

describe("the sentence about a certificate", () => {
  test.each<[string, Partial<Standing>]>([
    ["Renews in 9 d", {}],
    ["To be renewed now, ends in 15 d", { schedule: "Due", renewAt: inDays(-0.1), expiresAt: inDays(15) }],
    [
      "Renewal overdue by 3 d, ends in 12 d",
      { schedule: "Overdue", renewAt: inDays(-3), expiresAt: inDays(12) },
    ],
    ["Renewed by hand only, ends in 24 d", { autoRenew: false }],
    ["Expired 2 d ago", { status: "Expired", renewAt: inDays(-20), expiresAt: inDays(-2) }],
    ["Being renewed, ends in 24 d", { status: "RenewalInProgress" }],
    ["Being renewed, expired 2 d ago", { status: "RenewalInProgress", expiresAt: inDays(-2) }],
    ["Being issued for the first time", { status: "RenewalInProgress", expiresAt: null, renewAt: null }],
    ["Nothing was issued yet", { status: "Pending", expiresAt: null, renewAt: null }],
    ["Could not be issued: sign: no", { expiresAt: null, renewAt: null, lastError: "sign: no" }],
    ["Archived 4 d ago; nothing renews it", { archivedAt: inDays(-4), targets: [stray("lb")] }],
    ["Renews in 9 d; violates 1 policy rule", { brokenRules: 1 }],
  ])("says %s", (sentence, changes) => {
    expect(sentenceOf(standing(changes), now)).toBe(sentence);
  });

  test("counts the targets that are proven and names those that serve something else", () => {
    const sentence = (...targets: ServedTarget[]) =>
      sentenceOf(standing({ targets }), now).replace("Renews in 9 d; ", "");
    expect(sentence(target("lb-1"))).toBe("its target proven");
    expect(sentence(target("lb-1"), target("lb-2"))).toBe("all 2 targets proven");
    expect(sentence(target("lb-1"), stray("lb-2"))).toBe("1 of 2 targets proven; lb-2 still serves v6");
    expect(sentence(target("lb-1", { servedAt: null, servedFingerprint: null }))).toBe(
      "0 of 1 target proven",
    );
    expect(sentence(target("lb", { servedFingerprint: null }))).toBe(
      "0 of 1 target proven; lb serves nothing",
    );
    expect(sentence(target("lb", { servedFingerprint: "cc", servedNumber: null }))).toBe(
      "0 of 1 target proven; lb serves a certificate that is not this one's",
    );
    expect(sentence(stray("a"), stray("b"), stray("c"), stray("d"))).toBe(
      "0 of 4 targets proven; a still serves v6; b still serves v6; 2 more do not serve it",
    );
  });
});
