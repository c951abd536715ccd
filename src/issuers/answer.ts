import { X509Certificate } from "node:crypto";
import { fromPem, pem } from "../x509/pem.ts";
import { type Issued, IssuerError } from "./issuer.ts";

/**
 * What a CA sent as what was issued: PEM texts, the leaf in front. The others are put in the order in which each signed the one
 * before; a root among them is left out of the chain and is what it builds to, unless `rootsPem` has the one that it does. Throws
 * IssuerError.
 */
export function readAnswer(step: string, texts: readonly string[], rootsPem = ""): Issued {
  const [leaf, ...others] = texts
    .flatMap((text) => fromPem("CERTIFICATE", text))
    .map((der) => read(step, der));
  if (!leaf) throw new IssuerError(step, "the CA sent no certificate", "Refused");
  const roots = fromPem("CERTIFICATE", rootsPem).map((der) => read(step, der));
  const chain: X509Certificate[] = [];
  let root: X509Certificate | undefined;
  const anchors = roots.length > 0 ? roots : others.filter((other) => signed(other, other));
  for (let top = leaf; ; ) {
    root = anchors.find((anchor) => signed(top, anchor));
    const next = others.find((other) => other !== top && !chain.includes(other) && signed(top, other));
    if (root || !next) break;
    chain.push(next);
    top = next;
  }
  if (roots.length > 0 && root === undefined)
    throw new IssuerError(
      step,
      `the chain that the CA sent ends with ${(chain.at(-1) ?? leaf).issuer.replaceAll("\n", ", ")}, which is not the root that the issuer names`,
      "Configuration",
    );
  return {
    authorityId: null,
    leafDer: leaf.raw,
    chainPem: chain.map(({ raw }) => pem("CERTIFICATE", raw)),
    rootPem: root ? pem("CERTIFICATE", root.raw) : "",
  };
}

function read(step: string, der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new IssuerError(step, "the CA sent something that is no certificate", "Refused");
  }
}

function signed(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}
