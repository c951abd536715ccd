import { definePairTarget } from "./file-target.ts";

/** A reload with a bad pair ends it: it has to be startable. Only `-tt` looks at the pair. */
export const lighttpd = definePairTarget({
  kind: "lighttpd",
  title: "lighttpd",
  required: ["test", "reload", "start"],
});
