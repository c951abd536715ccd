import { z } from "zod";
import { entryParts } from "./file-schema.ts";
import { defineFileTarget } from "./file-target.ts";
import { isThreeFiles, providerFields, providerLayout, threeFiles } from "./provider-file.ts";

const kind = "traefik";
const host = z
  .strictObject({ ...entryParts({ kind }), ...providerFields("traefik.yaml") })
  .refine(isThreeFiles, threeFiles);

/** Its file provider reads the pair when the dynamic configuration file that it watches by name is moved into place. */
export const traefik = defineFileTarget<z.infer<typeof host>>({
  kind,
  title: "Traefik",
  host,
  layout: (entry) => ({
    ...providerLayout(entry, ({ certificate, key }) => ({
      tls: { certificates: [{ certFile: certificate, keyFile: key }] },
    })),
    watched: entry.file,
  }),
});
