import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireOwnTargets, requireWithin } from "../auth/grants.ts";
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
      await requireOwnTargets(tx, actor.grants, targetIds);
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
      await requireOwnTargets(tx, actor.grants, added);
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
  const isDone = await archiveWithin(tx, actor, certificateKind, { id, now, dependants });
  if (isDone) await tx.serverKey.deleteMany({ where: { job: { certificateId: id } } });
  return isDone;
}

export async function restoreCertificate({ db }: DeclareDeps, actor: Actor, id: string): Promise<void> {
  await restoreRow(db, actor, certificateKind, id, async (tx) => {
    // The locks keep what it refers to from being archived meanwhile.
    const rows = await tx.$queryRaw<{ id: string }[]>`
      WITH c AS MATERIALIZED (SELECT * FROM managed_certificates WHERE id = ${id}),
      owner AS (SELECT o.id, o.archived_at FROM owners o JOIN c ON c.owner_id = o.id FOR KEY SHARE OF o),
      team AS (SELECT t.id, t.archived_at FROM teams t JOIN c ON c.team_id = t.id FOR KEY SHARE OF t),
      issuer AS (SELECT i.id, i.archived_at FROM issuers i JOIN c ON c.issuer_id = i.id FOR KEY SHARE OF i),
      policy AS (SELECT p.id, p.archived_at FROM renewal_policies p JOIN c ON c.renewal_policy_id = p.id
        FOR KEY SHARE OF p),
      target AS (SELECT t.id, t.archived_at FROM deployment_targets t
        JOIN certificate_target_mappings m ON m.target_id = t.id AND m.certificate_id = ${id} FOR KEY SHARE OF t)
      SELECT id FROM (TABLE owner UNION ALL TABLE team UNION ALL TABLE issuer UNION ALL TABLE policy
        UNION ALL TABLE target) referred WHERE archived_at IS NOT NULL`;
    if (rows.length === 0) {
      const targets = await tx.certificateTarget.findMany({ where: { certificateId: id } });
      await requireOwnTargets(
        tx,
        actor.grants,
        targets.map(({ targetId }) => targetId),
      );
    }
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
