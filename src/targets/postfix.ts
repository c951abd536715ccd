import { definePairTarget } from "./file-target.ts";

/** A reload with a bad pair succeeds, and TLS is gone: only the proof shows it. */
export const postfix = definePairTarget({
  kind: "postfix",
  title: "Postfix",
  required: ["reload"],
  protocol: "smtp",
});
