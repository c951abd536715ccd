import { z } from "zod";
import { entryParts } from "./file-schema.ts";
import { defineFileTarget } from "./file-target.ts";
import { isThreeFiles, providerFields, providerLayout, threeFiles } from "./provider-file.ts";

const kind = "envoy";
const secretType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
const host = z
  .strictObject({
    ...entryParts({ kind }),
    ...providerFields("envoy.yaml"),
    secret: z
      .string()
      .min(1)
      .max(253)
      .default("certctl")
      .meta({ description: "The name that the listener's SDS configuration asks for" }),
  })
  .refine(isThreeFiles, threeFiles);

/** Reads the secret anew when anything is moved to in its `watched_directory`, which is what switching `current` is. */
export const envoy = defineFileTarget<z.infer<typeof host>>({
  kind,
  title: "Envoy",
  host,
  layout: (entry) =>
    providerLayout(entry, ({ certificate, key }) => ({
      resources: [
        {
          "@type": secretType,
          name: entry.secret,
          tls_certificate: { certificate_chain: { filename: certificate }, private_key: { filename: key } },
        },
      ],
    })),
});
