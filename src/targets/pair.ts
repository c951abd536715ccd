import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { fingerprintOf } from "./probe.ts";
import { isValidFor, nameToProve } from "./prove.ts";
import { type Bundle, DeployError } from "./target.ts";

/** What is written into files: encoded anew, never the bytes as they came. */
export interface Pair {
  /** The leaf and its intermediates, without the root. */
  certificatePem: string;
  /** PKCS#8. */
  keyPem: string;
}

/**
 * Checks that key, leaf and chain belong together, that the chain builds to the root, that all of it is valid now and
 * that the leaf carries the names, also the one by which it is to be proven, and that OpenSSL would serve it. Throws DeployError naming what does not fit.
 */
export function matchPair(bundle: Bundle, name: string | null, now: Date): Pair {
  const leaf = readCertificate("leaf", bundle.leafPem);
  const root = readCertificate("root", bundle.rootPem);
  const chain = bundle.chainPem
    .map((pem, index) => readCertificate(`chain[${index}]`, pem))
    .filter(({ raw }) => !raw.equals(root.raw));
  const key = readKey(bundle.keyPem);
  if (fingerprintOf(leaf) !== bundle.fingerprintSha256)
    refuse(`the leaf's SHA-256 is ${fingerprintOf(leaf)}, not ${bundle.fingerprintSha256}`);
  if (!leaf.checkPrivateKey(key)) refuse(`the key ${bundle.keyId} does not belong to the certificate`);
  checkNames(leaf, name === null ? bundle.sans : [...bundle.sans, name]);
  checkChain(leaf, chain, root);
  for (const certificate of [leaf, ...chain, root]) checkDates(certificate, now);
  const certificatePem = [leaf, ...chain].map(String).join("");
  const keyPem = key.export({ type: "pkcs8", format: "pem" }).toString();
  checkServes(certificatePem, keyPem);
  return { certificatePem, keyPem };
}

/** Many servers end, or go on without TLS, over a pair that OpenSSL does not take; their own checks do not look. */
function checkServes(cert: string, key: string): void {
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    refuse(`no server could serve this: ${error instanceof Error ? error.message : error}`);
  }
}

function checkNames(leaf: X509Certificate, sans: readonly string[]): void {
  for (const san of sans) {
    const name = nameToProve([san]);
    if (name !== null && !isValidFor(leaf, name)) refuse(`the certificate is not valid for ${san}`);
  }
}

function checkChain(leaf: X509Certificate, chain: readonly X509Certificate[], root: X509Certificate): void {
  if (!isIssuedBy(root, root)) refuse("the root is not self-signed");
  if (leaf.raw.equals(root.raw)) return;
  let below = leaf;
  for (const issuer of [...chain, root]) {
    if (!issuer.ca) refuse(`${nameOf(issuer)} stands in the chain and is no CA`);
    if (!isIssuedBy(below, issuer)) refuse(`${nameOf(below)} was not issued by ${nameOf(issuer)}`);
    below = issuer;
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function checkDates(certificate: X509Certificate, now: Date): void {
  const { validFromDate, validToDate } = certificate;
  if (now < validFromDate)
    refuse(`${nameOf(certificate)} is not valid before ${validFromDate.toISOString()}`);
  if (now > validToDate) refuse(`${nameOf(certificate)} expired at ${validToDate.toISOString()}`);
}

function nameOf(certificate: X509Certificate): string {
  const name = certificate.subject || certificate.subjectAltName || certificate.serialNumber;
  return `"${name.replaceAll("\n", ", ")}"`;
}

function readCertificate(what: string, pem: string): X509Certificate {
  if (pem.split("-----BEGIN ").length !== 2) refuse(`${what} is not exactly one PEM certificate`);
  try {
    return new X509Certificate(pem);
  } catch {
    return refuse(`${what} cannot be read as a certificate`);
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    return refuse("the private key cannot be read");
  }
}

function refuse(message: string): never {
  throw new DeployError("match", message);
}
