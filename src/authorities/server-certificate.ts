import { generateKeyPairSync } from "node:crypto";
import { signCertificate, tbsCertificate } from "../x509/certificate.ts";
import { extendedKeyUsage } from "../x509/extensions.ts";
import { spkiOf } from "../x509/keys.ts";
import { parseSan } from "../x509/names.ts";
import { pem } from "../x509/pem.ts";
import { type Authority, authorityPem } from "./authority.ts";
import { leafContent } from "./leaf.ts";

/** The control plane's own certificate, in the form that TLS takes. */
export interface ServerCertificate {
  /** Leaf and intermediate, PEM. */
  cert: string;
  /** PEM; it lives in this process only. */
  key: string;
  /** A new one is to be made from here on: half of the lifetime has passed. */
  renewAt: Date;
}

const validityDays = 7;

/** Makes a new key and has the server CA vouch for it under these names. */
export function makeServerCertificate(
  serverCa: Authority,
  names: readonly string[],
  now: Date,
): ServerCertificate {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const content = leafContent(serverCa, {
    // A longer name stands among the subject alternative names only (RFC 5280, upper bound ub-common-name).
    commonName: names.find((name) => name.length <= 64) ?? "",
    sans: names.map(parseSan),
    spki: spkiOf(privateKey),
    isRsa: false,
    usages: [extendedKeyUsage.serverAuth],
    validitySeconds: validityDays * 86_400,
    now,
  });
  const der = signCertificate(tbsCertificate(content, serverCa.key), serverCa.key);
  return {
    cert: pem("CERTIFICATE", der) + authorityPem(serverCa),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    renewAt: new Date((content.notBefore.getTime() + content.notAfter.getTime()) / 2),
  };
}
