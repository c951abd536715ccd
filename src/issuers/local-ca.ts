import { type Authority, authorityPem, intermediates, rootOf } from "../authorities/authority.ts";
import { leafContent } from "../authorities/leaf.ts";
import { reasonNotToSign } from "../authorities/may-sign.ts";
import { checkIssued, readRecord, serialText, signCertificate, tbsCertificate } from "../x509/certificate.ts";
import { readCsr } from "../x509/csr.ts";
import { isSignedBy, signBytes } from "../x509/keys.ts";
import { covers, parseSan } from "../x509/names.ts";
import { defineIssuer, IssuerError, type IssuerTools } from "./issuer.ts";
import { outsideOf, profile, profileExtensions, usagesOf } from "./local-ca-profile.ts";

/** certctl's own CA. What it signs is committed first, so that no certificate exists that certctl does not know of. */
export const localCa = defineIssuer({
  kind: "local-ca",
  title: "Local CA",
  config: profile,
  isRepeatable: true,

  refuses(wanted, config, { trustDomain, ownNames, signingCa, pkiUrl }) {
    const sans = wanted.sans.map(parseSan);
    for (const san of sans) {
      if (san.type === "uri" && isOfTrustDomain(san.value, trustDomain))
        return { field: "sans", description: `${san.value} names an agent of this control plane` };
      const own = ownNames.find((name) => covers(san, name));
      if (own)
        return { field: "sans", description: `${san.value} speaks for ${own}, which is this control plane` };
    }
    const reason = signingCa && reasonNotToSign(signingCa, { sans, usages: usagesOf(config) });
    if (reason) return { field: "sans", description: reason };
    return outsideOf(config, wanted, pkiUrl);
  },

  rootPem: (_config, { signingCa }) => (signingCa ? authorityPem(rootOf(signingCa)) : ""),

  async test(_config, tools) {
    if (tools.issuerId === "")
      return "the profile is fine; once the issuer is saved, it signs with the CA that is made for it";
    const ca = await signingCaOf(tools);
    const notAfter = new Date(ca.certificate.validTo);
    if (notAfter <= tools.clock())
      throw new IssuerError("test", `the CA ended at ${notAfter.toISOString()}`, "Configuration");
    const probe = Buffer.from("certctl issuer test");
    if (
      !isSignedBy(
        ca.certificate.publicKey,
        probe,
        signed(() => signBytes(ca.key, probe)),
      )
    )
      throw new IssuerError("test", "the CA's key does not belong to its certificate", "Configuration");
    return `${ca.id} signs until ${notAfter.toISOString()}`;
  },

  // The database, where the revocation is noted, is what its CRL and OCSP answers are made from.
  async revoke() {},

  async issue(request, config, context) {
    const { issuing, record } = context;
    const current = await signingCaOf(context);
    const csr = readCsr(request.csr);
    const sans = request.sans.map(parseSan);
    const usages = usagesOf(config);
    const outside = outsideOf(config, { ...request, keyAlgorithm: csr.keyAlgorithm }, issuing.pkiUrl);
    if (outside)
      throw new IssuerError("profile", `${outside.field}: ${outside.description}`, "Configuration");
    const content = leafContent(current, {
      commonName: request.commonName,
      sans,
      spki: csr.spki,
      isRsa: csr.keyAlgorithm.startsWith("RSA"),
      usages,
      validitySeconds: request.validitySeconds,
      now: request.now,
      extensions: profileExtensions(config, current, issuing.pkiUrl),
    });
    const recorded = await record(request.keyId, {
      authorityId: current.id,
      serial: serialText(content.serial),
      tbs: tbsCertificate(content, current.key),
    });
    // An earlier attempt's record names the CA of its time, which signs what it began.
    const ca = recorded.authorityId === current.id ? current : await issuing.find(recorded.authorityId);
    if (!ca) {
      throw new IssuerError(
        "sign",
        `the job was recorded for the CA key ${recorded.authorityId}, which is no longer there; retry the job`,
        "Configuration",
      );
    }
    const reason = reasonNotToSign(ca, { sans, usages });
    if (reason) throw new IssuerError("sign", reason, "Configuration");
    const leafDer = signed(() => signCertificate(recorded.tbs, ca.key));
    // An earlier attempt's record keeps its own serial number and dates, too.
    const { serial, notBefore, notAfter } = readRecord(recorded.tbs);
    checkIssued(
      leafDer,
      { tbs: recorded.tbs, spki: csr.spki, serial, sans, notBefore, notAfter },
      ca.certificate.publicKey,
    );
    return {
      authorityId: ca.id,
      leafDer,
      chainPem: intermediates(ca).map(authorityPem),
      rootPem: authorityPem(rootOf(ca)),
    };
  },
});

async function signingCaOf({ issuing, issuerId }: IssuerTools): Promise<Authority> {
  const ca = await issuing.signingFor(issuerId);
  if (ca) return ca;
  throw new IssuerError(
    "authority",
    `no CA signs for ${issuerId}: create one for it (certctl authorities create), or import one`,
    "Configuration",
  );
}

/** A key that cannot be reached, or is not here, is a matter for the operator. */
function signed(sign: () => Buffer): Buffer {
  try {
    return sign();
  } catch (error) {
    throw new IssuerError("sign", error instanceof Error ? error.message : String(error), "Configuration");
  }
}

function isOfTrustDomain(uri: string, trustDomain: string): boolean {
  const { protocol, hostname } = new URL(uri);
  return protocol === "spiffe:" && hostname.toLowerCase() === trustDomain;
}
