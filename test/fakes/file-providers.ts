import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { type Layout, pairLayout } from "../../src/targets/layout.ts";
import type { Watching } from "../watching-server.ts";

const pair = pairLayout({ certificate: "fullchain.pem", key: "privkey.pem" });
const path = z.string().startsWith("/");

/**
 * Traefik 2 and 3, https://doc.traefik.io/traefik/providers/file/: `filename` is read again when an entry of that name
 * changes in its directory; a certificate's path may not be watched. Only `tls.certificates` is known here.
 */
const traefikText = (directory: string) => `
tls:
  certificates:
    - certFile: ${directory}/fullchain.pem
      keyFile: ${directory}/privkey.pem
`;
const traefikFile = z.strictObject({
  tls: z.strictObject({ certificates: z.tuple([z.strictObject({ certFile: path, keyFile: path })]) }),
});

export const traefik: Watching = {
  layout: { ...withFile("traefik.yaml", traefikText), watched: "traefik.yaml" },
  find: (site) => {
    const file = traefikFile.parse(parse(readFileSync(join(site, "traefik.yaml"), "utf8")));
    const [{ certFile, keyFile }] = file.tls.certificates;
    return { certificate: certFile, key: keyFile };
  },
  isSeen: (name) => name === "traefik.yaml",
};

/**
 * Envoy, https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret: a DiscoveryResponse with one Secret at
 * `path`, read again when any entry of `watched_directory` is moved to.
 */
const envoyText = (directory: string) => `
resources:
  - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
    name: certctl
    tls_certificate:
      certificate_chain: { filename: ${directory}/fullchain.pem }
      private_key: { filename: ${directory}/privkey.pem }
`;
const envoyFile = z.strictObject({
  resources: z.tuple([
    z.strictObject({
      "@type": z.literal("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"),
      name: z.literal("certctl"),
      tls_certificate: z.strictObject({
        certificate_chain: z.strictObject({ filename: path }),
        private_key: z.strictObject({ filename: path }),
      }),
    }),
  ]),
});

export const envoy: Watching = {
  layout: withFile("envoy.yaml", envoyText),
  find: (site) => {
    const file = envoyFile.parse(parse(readFileSync(join(site, "current", "envoy.yaml"), "utf8")));
    const [{ tls_certificate: found }] = file.resources;
    return { certificate: found.certificate_chain.filename, key: found.private_key.filename };
  },
  isSeen: () => true,
};

/** What a host's owner begins with. */
function withFile(name: string, text: (directory: string) => string): Layout {
  return {
    ...pair,
    files: (written, directory) => [
      ...pair.files(written, directory),
      { name, content: text(directory), isSecret: false },
    ],
  };
}
