import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireWithin } from "../auth/grants.ts";
import { openStatuses } from "../jobs/state.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { judgeWrite } from "../policies/judge.ts";
import { archiveWithin, restoreRow, writeRefusal } from "../resources/archive.ts";
import { checkDeclaration, type ReservedNames, type StoredDeclaration } from "./check-declaration.ts";
import { deployCurrent } from "./deploy.ts";
import { certificateKind, lockLive } from "./lock.ts";

/** What a certificate is to be, as an operator writes it; empty strings and zero stand for the defaults. */
export interface Declaration {
  name: string;
  commonName: string;
  sans: string[];
  issuerId: string;
  agentId: string;
  targetIds: string[];
  keyAlgorithm: string;
  validitySeconds: number;
  environment: string;
  ownerId: string;
  teamId: string;
  renewalPolicyId: string;
  tags: Record<string, string>;
}

export interface DeclareDeps {
  db: Database;
  clock: () => Date;
  reserved: ReservedNames;
}

export async function createCertificate(
  deps: DeclareDeps,
  actor: Actor,
  id: string,
  wanted: Declaration,
): Promise<string> {
  const { db, clock } = deps;
  const certificateId = id || newId("mc");
  try {
    await db.$transaction(async (tx) => {
      const { targetIds, ...data } = await checkDeclaration(tx, deps.reserved, wanted);
      requireWithin(actor.grants, data);
      await tx.managedCertificate.create({
        data: {
          ...data,
          id: certificateId,
          targets: { create: targetIds.map((targetId) => ({ targetId })) },
        },
      });
      await audit(tx, actor, "certificate_created", certificateId, data, targetIds);
      await judgeWrite(tx, certificateId, clock());
    });
  } catch (error) {
    throw writeRefusal(error, certificateKind, { id: certificateId, name: wanted.name });
  }
  return certificateId;
}

export async function updateCertificate(
  deps: DeclareDeps,
  actor: Actor,
  id: string,
  wanted: Declaration,
): Promise<void> {
  const { db, clock } = deps;
  try {
    await db.$transaction(async (tx) => {
      await lockLive(tx, actor, id);
      const { targetIds, ...data } = await checkDeclaration(tx, deps.reserved, wanted);
      requireWithin(actor.grants, data);
      const bound = await tx.certificateTarget.findMany({ where: { certificateId: id } });
      const added = targetIds.filter((targetId) => !bound.some((row) => row.targetId === targetId));
      const related = async () => ({ target_ids: await targetIdsOf(tx, id) });
      await recordChange(tx, actor, { ...certificateKind, id, related }, async () => {
        await tx.managedCertificate.update({ where: { id }, data });
        await tx.certificateTarget.deleteMany({
          where: { certificateId: id, targetId: { notIn: targetIds } },
        });
        await tx.certificateTarget.createMany({
          data: added.map((targetId) => ({ certificateId: id, targetId })),
        });
      });
      await judgeWrite(tx, id, clock());
      await deployCurrent(tx, actor, id, added, clock());
    });
  } catch (error) {
    throw writeRefusal(error, certificateKind, { id, name: wanted.name });
  }
}

async function targetIdsOf(tx: Transaction, certificateId: string): Promise<string[]> {
  const rows = await tx.certificateTarget.findMany({
    where: { certificateId },
    orderBy: { targetId: "asc" },
  });
  return rows.map(({ targetId }) => targetId);
}

/** Archives a certificate that has no open job. Archiving it again changes nothing. */
export async function archiveCertificate(
  { db, clock }: DeclareDeps,
  actor: Actor,
  id: string,
): Promise<void> {
  await db.$transaction((tx) => archiveCertificateWithin(tx, actor, id, clock()));
}

/** The same as part of a transaction. False: it was archived already. */
export async function archiveCertificateWithin(
  tx: Transaction,
  actor: Actor,
  id: string,
  now: Date,
): Promise<boolean> {
  const where = { certificateId: id, status: { in: [...openStatuses] } };
  const dependants = async () => ({ "open jobs": await tx.job.count({ where }) });
  return archiveWithin(tx, actor, certificateKind, { id, now, dependants });
}

export async function restoreCertificate({ db }: DeclareDeps, actor: Actor, id: string): Promise<void> {
  await restoreRow(db, actor, certificateKind, id, async (tx) => {
    const rows = await tx.$queryRaw<{ id: string }[]>`
      SELECT o.id FROM owners o JOIN managed_certificates c ON c.owner_id = o.id
        WHERE c.id = ${id} AND o.archived_at IS NOT NULL
      UNION ALL SELECT t.id FROM teams t JOIN managed_certificates c ON c.team_id = t.id
        WHERE c.id = ${id} AND t.archived_at IS NOT NULL
      UNION ALL SELECT i.id FROM issuers i JOIN managed_certificates c ON c.issuer_id = i.id
        WHERE c.id = ${id} AND i.archived_at IS NOT NULL
      UNION ALL SELECT p.id FROM renewal_policies p JOIN managed_certificates c ON c.renewal_policy_id = p.id
        WHERE c.id = ${id} AND p.archived_at IS NOT NULL
      UNION ALL SELECT t.id FROM deployment_targets t JOIN certificate_target_mappings m ON m.target_id = t.id
        WHERE m.certificate_id = ${id} AND t.archived_at IS NOT NULL`;
    return rows.map((row) => row.id);
  });
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  id: string,
  data: Omit<StoredDeclaration, "targetIds">,
  targetIds: string[],
): Promise<void> {
  await recordAudit(tx, actor, {
    action,
    resourceType: "certificate",
    resourceId: id,
    details: {
      name: data.name,
      common_name: data.commonName,
      sans: data.sans,
      environment: data.environment,
      owner_id: data.ownerId,
      team_id: data.teamId,
      issuer_id: data.issuerId,
      renewal_policy_id: data.renewalPolicyId,
      agent_id: data.agentId,
      target_ids: targetIds,
      key_algorithm: data.keyAlgorithm,
      validity_seconds: data.validitySeconds,
      tags: Object.entries(data.tags).map(([name, value]) => `${name}=${value}`),
    },
  });
}
