import { X509Certificate } from "node:crypto";
import type { Transaction } from "../platform/database.ts";
import { conflict, invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { sha256, spkiOf } from "../x509/keys.ts";
import { fromPem } from "../x509/pem.ts";
import { rightsOf } from "./may-sign-ca.ts";

/** A CA's certificate with those above it, up to and with the root. */
export interface CaChain {
  own: X509Certificate;
  above: X509Certificate[];
}

/** Another CA's clock may be ahead of this one by so much. */
const skewMs = 5 * 60_000;

const wrong = (description: string) => invalid({ field: "certificate_pem", description });

/** Reads and checks the chain of an issuing CA, PEM. Throws InvalidArgument that says what is wrong with it. */
export function readCaChain(pemText: string, now: Date): CaChain {
  const all = fromPem("CERTIFICATE", pemText).map((der) => {
    try {
      return new X509Certificate(der);
    } catch {
      throw wrong("has a block that is no certificate");
    }
  });
  const [own, ...above] = all;
  if (!own) throw wrong("has no PEM block CERTIFICATE");
  all.forEach((certificate, i) => {
    const { isCa, signsCertificates, signsCrls, pathLength } = rightsOf(certificate.raw);
    if (!isCa || !signsCertificates) throw wrong(`${certificate.subject} is no certificate of a CA`);
    if (i === 0 && !signsCrls)
      throw wrong(`${certificate.subject} may not sign CRLs: its key usage lacks cRLSign`);
    if (pathLength !== undefined && pathLength < i)
      throw wrong(`${certificate.subject} allows ${pathLength} CAs below it, and there are ${i}`);
    if (
      Date.parse(certificate.validTo) <= now.getTime() ||
      Date.parse(certificate.validFrom) > now.getTime() + skewMs
    )
      throw wrong(
        `${certificate.subject} is valid from ${certificate.validFrom} to ${certificate.validTo}, not now`,
      );
    const signer = all[i + 1] ?? certificate;
    if (!certificate.checkIssued(signer) || !certificate.verify(signer.publicKey))
      throw wrong(
        all[i + 1]
          ? `${certificate.subject} was not signed by the certificate that follows it`
          : `the last one, ${certificate.subject}, did not sign itself: add what signed it, up to and with the root`,
      );
  });
  if (above.length === 0) throw wrong("is a root: an issuing CA is signed by another; add what signed it");
  return { own, above };
}

/** Stores the CAs above, whose keys are elsewhere, and returns the id of the one that signed. Those that are known stay. */
export async function keepAbove(
  tx: Transaction,
  above: readonly X509Certificate[],
  now: Date,
): Promise<string> {
  let parentId: string | null = null;
  for (const [i, certificate] of [...above.entries()].reverse()) {
    const spkiSha256 = new Uint8Array(sha256(spkiOf(certificate.publicKey)));
    const known = await tx.authority.findUnique({ where: { spkiSha256 } });
    if (known && !known.role.startsWith("issuing-"))
      throw conflict(
        "SYSTEM_TREE",
        `${known.id} vouches for agents and the control plane, and for nothing else`,
      );
    if (known) {
      parentId = known.id;
      continue;
    }
    const id: string = newId("ca");
    const isRoot = i === above.length - 1;
    await tx.authority.create({
      data: {
        id,
        name: /CN=([^\n]+)/.exec(certificate.subject)?.[1] ?? certificate.subject,
        role: isRoot ? "issuing-root" : "issuing-ca",
        parentId,
        keyPlace: "elsewhere",
        certificate: new Uint8Array(certificate.raw),
        spkiSha256,
        createdAt: now,
        updatedAt: now,
      },
    });
    parentId = id;
  }
  if (!parentId) throw new Error("a chain without a CA above");
  return parentId;
}
