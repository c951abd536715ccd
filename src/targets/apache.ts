import { definePairTarget } from "./file-target.ts";

/** Its check takes any pair, and a graceful restart with a bad one ends it: it has to be startable. */
export const apache = definePairTarget({
  kind: "apache",
  title: "Apache httpd",
  required: ["test", "reload", "start"],
});
