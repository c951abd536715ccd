import { AsnConvert } from "@peculiar/asn1-schema";
import { AuthorityKeyIdentifier, Certificate, id_ce_authorityKeyIdentifier } from "@peculiar/asn1-x509";
import { z } from "zod";
import { IssuerError, type IssuerTools, type RenewalInformation, type SignedCertificate } from "../issuer.ts";
import type { AcmeConfig } from "./config.ts";
import { connectAcme } from "./connection.ts";
import { issuerError } from "./problem.ts";
import { throwawayKey } from "./throwaway-key.ts";

/** RFC 9773, 4.2. */
const answer = z.object({
  suggestedWindow: z.object({
    start: z.iso.datetime({ offset: true }),
    end: z.iso.datetime({ offset: true }),
  }),
  // It becomes a link: whatever leads elsewhere than to a page is left out.
  explanationURL: z
    .url({ protocol: /^https?$/ })
    .max(2_048)
    .optional()
    .catch(undefined),
});

/** Asks the CA when it wants a certificate renewed; null: it does not say, or is not to be asked. */
export async function renewalInformation(
  certificate: SignedCertificate,
  config: AcmeConfig,
  tools: IssuerTools,
): Promise<RenewalInformation | null> {
  if (!config.renewal_information) return null;
  try {
    const connection = await connectAcme(config, { keyPem: throwawayKey() }, tools);
    const { renewalInfo } = await connection.directory();
    const id = renewalId(certificate);
    if (!renewalInfo || id === null) return null;
    const { data, retryAfterMs } = await connection.get(`${renewalInfo.replace(/\/$/, "")}/${id}`);
    const read = answer.safeParse(data);
    const start = new Date(read.data?.suggestedWindow.start ?? Number.NaN);
    const end = new Date(read.data?.suggestedWindow.end ?? Number.NaN);
    if (!(start < end)) throw new IssuerError("renewal_info", "the CA named no time to renew in", "Refused");
    return { start, end, explanationUrl: read.data?.explanationURL ?? "", retryAfterMs };
  } catch (error) {
    throw issuerError("renewal_info", error);
  }
}

/** How RFC 9773 names a certificate: its issuer's key identifier and its serial number. Null: it has no such identifier. */
export function renewalId({ leafDer }: Pick<SignedCertificate, "leafDer">): string | null {
  const { tbsCertificate } = AsnConvert.parse(leafDer, Certificate);
  const found = tbsCertificate.extensions?.find(({ extnID }) => extnID === id_ce_authorityKeyIdentifier);
  if (!found) return null;
  const { keyIdentifier } = AsnConvert.parse(found.extnValue.buffer, AuthorityKeyIdentifier);
  if (!keyIdentifier) return null;
  const parts = [keyIdentifier.buffer, tbsCertificate.serialNumber];
  return parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
}
