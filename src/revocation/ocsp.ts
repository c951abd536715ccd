import { createHash } from "node:crypto";
import { networkOf } from "../auth/throttle.ts";
import type { Authority } from "../authorities/authority.ts";
import type { IssuingAuthorities } from "../authorities/issuing.ts";
import type { Responder } from "../authorities/responder.ts";
import type { Buckets } from "../platform/buckets.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";
import { DerError } from "../x509/der.ts";
import { keyBitsOf, partsOf } from "../x509/der-certificate.ts";
import { type CertId, type OcspRequest, readOcspRequest } from "../x509/ocsp-request.ts";
import { type CertStatus, makeOcspResponse, ocspErrors } from "../x509/ocsp-response.ts";
import { responderFor } from "./responders.ts";

export interface OcspDeps {
  db: Database;
  sealer: Sealer;
  issuing: IssuingAuthorities;
  clock: () => Date;
  /** Fresh signatures, by network. */
  buckets: Buckets;
}

export interface OcspReply {
  der: Buffer;
  /** Until when others may keep it; null: nobody may. */
  keepUntil: Date | null;
  /** Seconds to wait for whoever asked too often; 0: not refused. */
  waitSeconds: number;
}

const answerMs = 86_400_000;

/** Answers an OCSP request (RFC 6960) of an address. */
export async function answerOcsp(deps: OcspDeps, der: Uint8Array, address: string): Promise<OcspReply> {
  const request = parse(der);
  if (!request) return refused(ocspErrors.malformedRequest);
  const authority = await authorityOf(deps.issuing, request.certIds);
  if (!authority) return refused(ocspErrors.unauthorized);
  const [only, second] = request.certIds;
  const isCacheable = request.nonce === null && !second;
  const now = deps.clock();
  if (only && isCacheable) {
    const kept = await readKept(deps.db, authority.id, only, now);
    if (kept) return kept;
  }
  const waitSeconds = deps.buckets.take(networkOf(address));
  if (waitSeconds > 0) return { ...refused(ocspErrors.tryLater), waitSeconds };
  return deps.db.$transaction(async (tx) => {
    const responder = await responderFor(tx, deps.sealer, authority, now);
    const answers: { certId: CertId; status: CertStatus }[] = [];
    for (const certId of request.certIds)
      answers.push({ certId, status: await statusOf(tx, authority.id, certId.serial) });
    const signed = signAnswers(responder, answers, request.nonce, now);
    const [first] = answers;
    if (!isCacheable || !first || first.status.status === "unknown") return refused(signed.der);
    await keepAnswer(tx, authority.id, first.certId, signed);
    return { der: signed.der, keepUntil: signed.nextUpdate, waitSeconds: 0 };
  });
}

/** Signs answers as of now; they hold for a day, or until the responder ends. */
export function signAnswers(
  responder: Responder,
  answers: readonly { certId: Pick<CertId, "raw">; status: CertStatus }[],
  nonce: Buffer | null,
  now: Date,
): { der: Buffer; now: Date; nextUpdate: Date } {
  const nextUpdate = new Date(Math.min(now.getTime() + answerMs, responder.notAfter.getTime()));
  return { der: makeOcspResponse({ answers, nonce, now, nextUpdate }, responder), now, nextUpdate };
}

function refused(der: Buffer): OcspReply {
  return { der, keepUntil: null, waitSeconds: 0 };
}

function parse(der: Uint8Array): OcspRequest | null {
  try {
    return readOcspRequest(der);
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}

/** The CA that all of them are about; null: another's, or several. */
async function authorityOf(
  issuing: IssuingAuthorities,
  certIds: readonly CertId[],
): Promise<Authority | null> {
  const candidates = (await issuing.list()).filter(({ authority }) => authority.role === "issuing-ca");
  const match = candidates.find(({ authority }) => certIds.every((certId) => isOf(authority, certId)));
  return match?.authority ?? null;
}

function isOf(authority: Authority, { hash, issuerNameHash, issuerKeyHash }: CertId): boolean {
  const digest = (bytes: Uint8Array) => createHash(hash).update(bytes).digest();
  return (
    digest(keyBitsOf(authority.spki)).equals(issuerKeyHash) &&
    digest(partsOf(authority.der).subject).equals(issuerNameHash)
  );
}

interface KnownSerial {
  revokedAt: Date | null;
  reason: string;
}

/**
 * What the CA says of a serial number. What is known is held until the transaction ends: a revocation that is under way comes
 * before, or replaces what is kept of this one.
 */
async function statusOf(tx: Transaction, authorityId: string, serial: string): Promise<CertStatus> {
  const versions = await tx.$queryRaw<KnownSerial[]>`
    SELECT revoked_at AS "revokedAt", revocation_reason AS reason FROM certificate_versions
    WHERE authority_id = ${authorityId} AND serial = ${serial} FOR SHARE`;
  const recovered = await tx.$queryRaw<KnownSerial[]>`
    SELECT revoked_at AS "revokedAt", revocation_reason AS reason FROM recovered_certificates
    WHERE authority_id = ${authorityId} AND serial = ${serial} FOR SHARE`;
  const known = [...versions, ...recovered];
  for (const { revokedAt, reason } of known) if (revokedAt) return { status: "revoked", revokedAt, reason };
  if (known.length > 0) return { status: "good" };
  const recorded = await tx.issuance.count({ where: { authorityId, serial } });
  return { status: recorded > 0 ? "good" : "unknown" };
}

async function readKept(
  db: Database,
  authorityId: string,
  { serial, raw }: CertId,
  now: Date,
): Promise<OcspReply | null> {
  const certId = new Uint8Array(raw);
  const kept = await db.ocspAnswer.findUnique({
    where: { authorityId_serial_certId: { authorityId, serial, certId } },
  });
  // From half of its time on a new one is signed.
  if (!kept || kept.nextUpdate.getTime() - now.getTime() <= answerMs / 2) return null;
  return { der: Buffer.from(kept.der), keepUntil: kept.nextUpdate, waitSeconds: 0 };
}

export async function keepAnswer(
  tx: Transaction,
  authorityId: string,
  { serial, raw }: Pick<CertId, "serial" | "raw">,
  answer: { der: Buffer; now: Date; nextUpdate: Date },
): Promise<void> {
  const certId = new Uint8Array(raw);
  const data = { der: new Uint8Array(answer.der), producedAt: answer.now, nextUpdate: answer.nextUpdate };
  await tx.ocspAnswer.upsert({
    where: { authorityId_serial_certId: { authorityId, serial, certId } },
    create: { authorityId, serial, certId, ...data },
    update: data,
  });
}
