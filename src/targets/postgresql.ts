import { definePairTarget } from "./file-target.ts";

/** Keeps its certificate, and logs it, when a reload brings a bad pair or a key that others may read. */
export const postgresql = definePairTarget({
  kind: "postgresql",
  title: "PostgreSQL",
  required: ["reload"],
  protocol: "postgres",
});
