import { definePairTarget } from "./file-target.ts";

/** Loads anew when both file names are set in one command, even to what they were. */
export const redis = definePairTarget({ kind: "redis", title: "Redis", required: ["reload"] });
