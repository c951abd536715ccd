import type { State } from "./course.ts";

/** A track as the sum of a journey needs it: of a key, or of a target. */
export interface Part {
  kind: "key" | "lane";
  state: State;
}

export type JourneyStateName = State | "PartlyDone";
export type OutcomeName = "Issued" | "Proven" | "PartlyProven" | "NotProven";

/** What the tracks come to together. `outcome` is null until nothing is open. */
export function verdictOf(parts: readonly Part[]): { state: JourneyStateName; outcome: OutcomeName | null } {
  const has = (state: State) => parts.some((part) => part.state === state);
  if (has("Running")) return { state: "Running", outcome: null };
  if (has("Waiting")) return { state: "Waiting", outcome: null };
  // Lanes that never came to be are the failure of the key that they wait for.
  const lanes = parts.filter(({ kind, state }) => kind === "lane" && state !== "Skipped");
  const brokenKeys = parts.filter(({ kind, state }) => kind === "key" && state !== "Done");
  const counted = lanes.length + brokenKeys.length === 0 ? parts : [...lanes, ...brokenKeys];
  const done = counted.filter(({ state }) => state === "Done").length;
  if (done === counted.length) return { state: "Done", outcome: lanes.length === 0 ? "Issued" : "Proven" };
  if (done > 0) return { state: "PartlyDone", outcome: "PartlyProven" };
  return {
    state: counted.some(({ state }) => state === "Failed") ? "Failed" : "Cancelled",
    outcome: "NotProven",
  };
}
