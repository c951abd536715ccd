import { watchedEntry } from "./file-schema.ts";
import { defineFileTarget } from "./file-target.ts";

/** Any server that reads PEM files, with whatever commands its host's owner wrote down for it. */
export const files = defineFileTarget({ kind: "files", title: "PEM files", host: watchedEntry("files") });
