import { recordChange } from "../audit/changes.ts";
import type { Actor } from "../audit/record.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { type FieldViolation, invalid } from "../platform/errors.ts";
import { lockLiveRow } from "../resources/archive.ts";
import { issuerKind } from "./manage.ts";

const defaults = { standbyAfter: 2, canaryEveryDays: 7 };

export interface StandbyWish {
  id: string;
  /** Empty: none. */
  standbyIssuerId: string;
  /** 0: the default. */
  standbyAfter: number;
  /** Empty: none. */
  canaryCertificateId: string;
  /** 0: the default. */
  canaryEveryDays: number;
}

/** Says who signs instead while an issuer fails. Throws InvalidArgument naming every field that is wrong. */
export async function setStandby(
  { db, clock }: { db: Database; clock: () => Date },
  actor: Actor,
  wanted: StandbyWish,
): Promise<void> {
  const { id, standbyIssuerId, canaryCertificateId } = wanted;
  await db.$transaction(async (tx) => {
    await lockLiveRow(tx, actor, issuerKind, id);
    const [first, ...others] = await problemsOf(tx, wanted);
    if (first) throw invalid(first, ...others);
    const data = {
      standbyIssuerId: standbyIssuerId || null,
      standbyAfter: wanted.standbyAfter || defaults.standbyAfter,
      canaryCertificateId: canaryCertificateId || null,
      canaryEveryDays: wanted.canaryEveryDays || defaults.canaryEveryDays,
      updatedAt: clock(),
    };
    await recordChange(tx, actor, { ...issuerKind, id }, () => tx.issuer.update({ where: { id }, data }));
  });
}

async function problemsOf(
  tx: Transaction,
  { id, standbyIssuerId, canaryCertificateId }: StandbyWish,
): Promise<FieldViolation[]> {
  const problems: FieldViolation[] = [];
  if (standbyIssuerId === id)
    problems.push({ field: "standby_issuer_id", description: "is the issuer itself; name another" });
  else if (standbyIssuerId !== "") {
    const standbys = await tx.$queryRaw<unknown[]>`
      SELECT 1 FROM issuers WHERE id = ${standbyIssuerId} AND archived_at IS NULL FOR SHARE`;
    if (standbys.length === 0)
      problems.push({ field: "standby_issuer_id", description: `issuer ${standbyIssuerId} does not exist` });
  }
  if (canaryCertificateId === "") return problems;
  const canary = await tx.managedCertificate.findFirst({
    where: { id: canaryCertificateId, archivedAt: null },
    select: { issuerId: true },
  });
  if (!canary)
    problems.push({
      field: "canary_certificate_id",
      description: `certificate ${canaryCertificateId} does not exist`,
    });
  else if (standbyIssuerId === "" || canary.issuerId !== standbyIssuerId)
    problems.push({
      field: "canary_certificate_id",
      description: `is signed by ${canary.issuerId}; name a certificate whose issuer is the standby`,
    });
  return problems;
}
