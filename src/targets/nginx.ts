import { definePairTarget } from "./file-target.ts";

/** Its check sees what is wrong with a pair, and a reload that fails leaves the old workers. */
export const nginx = definePairTarget({ kind: "nginx", title: "nginx", required: ["test", "reload"] });
