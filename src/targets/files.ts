import { definePairTarget } from "./file-target.ts";

/** Two PEM files for a server that has no kind of its own, or that sees new files by itself. */
export const files = definePairTarget({ kind: "files", title: "PEM files" });
