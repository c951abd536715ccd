import type { Extension } from "@peculiar/asn1-x509";
import { z } from "zod";
import type { Authority } from "../authorities/authority.ts";
import {
  authorityInfoAccess,
  crlDistributionPoint,
  extendedKeyUsage,
  mustStaple,
  noRevocationAvailable,
} from "../x509/extensions.ts";
import { keyAlgorithms } from "../x509/keys.ts";
import type { Refusal, WantedCertificate } from "./issuer.ts";

/** So short-lived that nobody needs to hear of a revocation. */
const mostDaysWithoutRevocation = 7;
const dayS = 86_400;

/** What the local CA's certificates may be, and what they say. */
export const profile = z
  .strictObject({
    key_algorithms: z
      .array(z.enum(keyAlgorithms))
      .min(1)
      .default([...keyAlgorithms])
      .meta({ title: "Keys", description: "The kinds of keys that it signs for" }),
    usages: z
      .array(z.enum(["serverAuth", "clientAuth"]))
      .min(1)
      .default(["serverAuth"])
      .meta({
        title: "Usages",
        description: "What a certificate is for: serving TLS, being a TLS client, or both",
      }),
    max_validity_days: z.int().min(1).max(3_650).default(398).meta({
      title: "Longest validity",
      description: "In days. A certificate that asks for more is refused",
    }),
    revocation_data: z.enum(["when_served", "always", "never"]).default("when_served").meta({
      title: "Revocation data",
      description:
        "Whether certificates say where their CRL, OCSP and CA lie: where CERTCTL_PKI_URL is set, always (then it has to be set), or never, for certificates of at most 7 days",
    }),
    must_staple: z.boolean().default(false).meta({
      title: "Must staple",
      description: "Servers have to staple an OCSP answer, or clients refuse the certificate (RFC 7633)",
    }),
  })
  .superRefine((config, context) => {
    if (config.revocation_data !== "never") return;
    if (config.max_validity_days > mostDaysWithoutRevocation)
      context.addIssue({
        code: "custom",
        path: ["max_validity_days"],
        message: `at most ${mostDaysWithoutRevocation} without revocation data: nobody would hear of a revocation`,
      });
    if (config.must_staple)
      context.addIssue({
        code: "custom",
        path: ["must_staple"],
        message: "there is nothing to staple without revocation data",
      });
  });
export type Profile = z.infer<typeof profile>;

/** What a certificate asks for that the profile does not allow; null: nothing. */
export function outsideOf(
  config: Profile,
  wanted: Pick<WantedCertificate, "keyAlgorithm" | "validitySeconds">,
  pkiUrl: string | null,
): Refusal | null {
  const { key_algorithms: algorithms, max_validity_days: days } = config;
  if (!algorithms.some((each) => each === wanted.keyAlgorithm)) {
    const description = `this issuer signs for ${algorithms.join(", ")} only, not for ${wanted.keyAlgorithm}`;
    return { field: "key_algorithm", description };
  }
  if (wanted.validitySeconds > days * dayS) {
    const description = `this issuer signs for at most ${days} days: ask for ${days * dayS} seconds or less`;
    return { field: "validity_seconds", description };
  }
  if (pkiUrl === null && (config.revocation_data === "always" || config.must_staple)) {
    const description =
      "this issuer's certificates name a CRL and OCSP, which needs CERTCTL_PKI_URL on the control plane";
    return { field: "issuer_id", description };
  }
  return null;
}

/** Object identifiers of the extended key usages. */
export function usagesOf({ usages }: Profile): string[] {
  return usages.map((usage) => extendedKeyUsage[usage]);
}

/** What the profile adds to a leaf of this CA. */
export function profileExtensions(config: Profile, authority: Authority, pkiUrl: string | null): Extension[] {
  const staple = config.must_staple ? [mustStaple()] : [];
  if (config.revocation_data === "never") return [noRevocationAvailable()];
  if (pkiUrl === null) return staple;
  const { id } = authority;
  return [
    crlDistributionPoint(`${pkiUrl}/crl/${id}.crl`),
    authorityInfoAccess({ ocsp: `${pkiUrl}/ocsp`, caIssuers: `${pkiUrl}/ca/${id}.cer` }),
    ...staple,
  ];
}
