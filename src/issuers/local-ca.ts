import { AsnConvert } from "@peculiar/asn1-schema";
import { TBSCertificate } from "@peculiar/asn1-x509";
import { z } from "zod";
import { authorityPem, intermediates, rootOf } from "../authorities/authority.ts";
import { leafContent } from "../authorities/leaf.ts";
import { checkIssued, serialText, signCertificate, tbsCertificate } from "../x509/certificate.ts";
import { readCsr } from "../x509/csr.ts";
import { extendedKeyUsage } from "../x509/extensions.ts";
import { isSignedBy, signBytes } from "../x509/keys.ts";
import { covers, parseSan } from "../x509/names.ts";
import { defineIssuer, IssuerError } from "./issuer.ts";

/** certctl's own CA. What it signs is committed first, so that no certificate exists that certctl does not know of. */
export const localCa = defineIssuer({
  kind: "local-ca",
  title: "Local CA",
  config: z.strictObject({}),
  isRepeatable: true,

  refuses({ sans }, _config, { trustDomain, ownNames }) {
    for (const san of sans.map(parseSan)) {
      if (san.type === "uri" && isOfTrustDomain(san.value, trustDomain))
        return { field: "sans", description: `${san.value} names an agent of this control plane` };
      const own = ownNames.find((name) => covers(san, name));
      if (own)
        return { field: "sans", description: `${san.value} speaks for ${own}, which is this control plane` };
    }
    return null;
  },

  rootPem: (_config, { issuingCa }) => authorityPem(rootOf(issuingCa)),

  async test(_config, { issuingCa, clock }) {
    const notAfter = new Date(issuingCa.certificate.validTo);
    if (notAfter <= clock())
      throw new IssuerError("test", `the CA ended at ${notAfter.toISOString()}`, "Configuration");
    const probe = Buffer.from("certctl issuer test");
    if (!isSignedBy(issuingCa.certificate.publicKey, probe, signBytes(issuingCa.key, probe)))
      throw new IssuerError("test", "the CA's key does not belong to its certificate", "Configuration");
    return `${issuingCa.id} signs until ${notAfter.toISOString()}`;
  },

  // The database, where the revocation is noted, is what its CRL and OCSP answers are made from.
  async revoke() {},

  async issue(request, _config, { issuingCa, record }) {
    const csr = readCsr(request.csr);
    const sans = request.sans.map(parseSan);
    const content = leafContent(issuingCa, {
      commonName: request.commonName,
      sans,
      spki: csr.spki,
      isRsa: csr.keyAlgorithm.startsWith("RSA"),
      usages: [extendedKeyUsage.serverAuth],
      validitySeconds: request.validitySeconds,
      now: request.now,
    });
    const recorded = await record(request.keyId, {
      authorityId: issuingCa.id,
      serial: serialText(content.serial),
      tbs: tbsCertificate(content, issuingCa.key),
    });
    if (recorded.authorityId !== issuingCa.id) {
      throw new IssuerError(
        "sign",
        `the job was recorded for the CA key ${recorded.authorityId}, which is no longer in use; retry the job`,
        "Configuration",
      );
    }
    const leafDer = signCertificate(recorded.tbs, issuingCa.key);
    // An earlier attempt's record keeps its own serial number and dates.
    const { serialNumber, validity } = AsnConvert.parse(recorded.tbs, TBSCertificate);
    checkIssued(
      leafDer,
      {
        tbs: recorded.tbs,
        spki: csr.spki,
        serial: new Uint8Array(serialNumber),
        sans,
        notBefore: validity.notBefore.getTime(),
        notAfter: validity.notAfter.getTime(),
      },
      issuingCa.certificate.publicKey,
    );
    return {
      authorityId: issuingCa.id,
      leafDer,
      chainPem: intermediates(issuingCa).map(authorityPem),
      rootPem: authorityPem(rootOf(issuingCa)),
    };
  },
});

function isOfTrustDomain(uri: string, trustDomain: string): boolean {
  const { protocol, hostname } = new URL(uri);
  return protocol === "spiffe:" && hostname.toLowerCase() === trustDomain;
}
