import { z } from "zod";
import { entryParts, fileName } from "./file-schema.ts";
import { defineFileTarget } from "./file-target.ts";
import { combinedLayout } from "./layout.ts";

const kind = "haproxy";
const host = z.strictObject({
  ...entryParts({ kind, required: ["test", "reload"] }),
  file: fileName
    .default("combined.pem")
    .meta({ description: "The file below `current/` with the certificate, its intermediates and the key" }),
});

/** One file holds certificate and key. A reload with a bad one leaves the old worker. */
export const haproxy = defineFileTarget<z.infer<typeof host>>({
  kind,
  title: "HAProxy",
  host,
  layout: combinedLayout,
});
