import { X509Certificate } from "node:crypto";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { AuthorityDeps } from "../authorities/keep.ts";
import type { Transaction } from "../platform/database.ts";
import { conflict, invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { serialText } from "../x509/certificate.ts";
import { DerError } from "../x509/der.ts";
import { sha256 } from "../x509/keys.ts";
import { NameError } from "../x509/names.ts";
import { fromPem } from "../x509/pem.ts";
import { readCertificate } from "../x509/read-certificate.ts";

const wrong = (description: string) => invalid({ field: "certificate_pem", description });

/**
 * Takes a certificate that one of certctl's own CAs signed and that no version has. Returns the id that it is kept under; the same
 * again is kept once.
 */
export async function recoverCertificate(
  { db, issuing, clock }: Pick<AuthorityDeps, "db" | "issuing" | "clock">,
  actor: Actor,
  certificatePem: string,
): Promise<string> {
  const { certificate, facts } = readOne(certificatePem);
  const all = await issuing.list();
  const signer = all.find(
    ({ authority }) =>
      certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey),
  )?.authority;
  if (!signer) throw wrong(`${oneLine(certificate)} was signed by none of certctl's CAs`);
  const now = clock();
  if (facts.notAfter <= now)
    throw wrong(`ended at ${facts.notAfter.toISOString()}: nobody trusts it any more, revoked or not`);
  return db.$transaction(async (tx) => {
    // Whoever else brings the same waits.
    await tx.$queryRaw`SELECT 1 FROM authorities WHERE id = ${signer.id} FOR NO KEY UPDATE`;
    await requireUnknown(tx, signer.id, facts.serial);
    const place = { authorityId_serial: { authorityId: signer.id, serial: facts.serial } };
    const known = await tx.recoveredCertificate.findUnique({ where: place });
    if (known) return known.id;
    const id = newId("rc");
    const der = new Uint8Array(certificate.raw);
    const data = { id, authorityId: signer.id, ...facts, certificate: der, createdAt: now };
    await tx.recoveredCertificate.create({ data });
    // What was said of it so far was "unknown", which nobody keeps.
    await recordAudit(tx, actor, {
      action: "certificate_recovered",
      resourceType: "recovered_certificate",
      resourceId: id,
      details: { authority_id: signer.id, serial: facts.serial, subject: oneLine(certificate) },
    });
    return id;
  });
}

function readOne(certificatePem: string) {
  const [der] = fromPem("CERTIFICATE", certificatePem);
  if (!der) throw wrong("has no PEM block CERTIFICATE");
  try {
    const { serial, notAfter, spki } = readCertificate(der);
    const facts = { serial: serialText(serial), notAfter, spkiSha256: new Uint8Array(sha256(spki)) };
    return { certificate: new X509Certificate(der), facts };
  } catch (error) {
    if (error instanceof DerError || error instanceof NameError)
      throw wrong(`cannot be read: ${error.message}`);
    throw wrong("is no certificate");
  }
}

/** What is known is revoked where it is known. */
async function requireUnknown(tx: Transaction, authorityId: string, serial: string): Promise<void> {
  const { keyPlace } = await tx.authority.findUniqueOrThrow({ where: { id: authorityId } });
  if (keyPlace === "elsewhere")
    throw wrong(`was signed by ${authorityId}, whose key is not certctl's: whoever has it revokes it`);
  const version = await tx.certificateVersion.findFirst({ where: { authorityId, serial } });
  if (version)
    throw conflict("KNOWN", `that is version ${version.id} of certificate ${version.certificateId}`);
}

function oneLine({ subject }: X509Certificate): string {
  return subject ? subject.split("\n").join(", ") : "the certificate";
}
