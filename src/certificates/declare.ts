import { type Actor, recordAudit } from "../audit/record.ts";
import { requireCertificate, requireWithin } from "../auth/grants.ts";
import { defaultIssuerId } from "../issuers/default-issuer.ts";
import { issuerByKind } from "../issuers/registry.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import { alreadyExists, conflict, type FieldViolation, invalid, notFound } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { NameError, parseSan } from "../x509/names.ts";
import { deployCurrent } from "./deploy.ts";
import { lockLive } from "./lock.ts";

const defaultValiditySeconds = 46 * 86_400;

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
}

export interface DeclareDeps {
  db: Database;
  clock: () => Date;
  /** Names that no customer's certificate may carry. */
  reserved: { trustDomain: string; ownNames: readonly string[] };
}

export async function createCertificate(
  deps: DeclareDeps,
  actor: Actor,
  id: string,
  wanted: Declaration,
): Promise<string> {
  const { db } = deps;
  const certificateId = id || newId("mc");
  try {
    await db.$transaction(async (tx) => {
      const { targetIds, ...data } = await check(tx, deps, wanted);
      requireWithin(actor.grants, { teamId: null, issuerId: data.issuerId });
      await tx.managedCertificate.create({
        data: {
          ...data,
          id: certificateId,
          targets: { create: targetIds.map((targetId) => ({ targetId })) },
        },
      });
      await audit(tx, actor, "certificate_created", certificateId, { ...data, target_ids: targetIds });
    });
  } catch (error) {
    throw refusal(error, certificateId, wanted.name);
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
      const { targetIds, ...data } = await check(tx, deps, wanted);
      requireWithin(actor.grants, { teamId: null, issuerId: data.issuerId });
      await tx.managedCertificate.update({ where: { id }, data });
      const bound = await tx.certificateTarget.findMany({ where: { certificateId: id } });
      const added = targetIds.filter((targetId) => !bound.some((row) => row.targetId === targetId));
      await tx.certificateTarget.deleteMany({ where: { certificateId: id, targetId: { notIn: targetIds } } });
      await tx.certificateTarget.createMany({
        data: added.map((targetId) => ({ certificateId: id, targetId })),
      });
      await audit(tx, actor, "certificate_updated", id, { ...data, target_ids: targetIds });
      await deployCurrent(tx, actor, id, added, clock());
    });
  } catch (error) {
    throw refusal(error, id, wanted.name);
  }
}

/** Archives a certificate that has no open job. Archiving it again changes nothing. */
export async function archiveCertificate(
  { db, clock }: DeclareDeps,
  actor: Actor,
  id: string,
): Promise<void> {
  await db.$transaction(async (tx) => {
    const found = await tx.$queryRaw<{ archivedAt: Date | null }[]>`
      SELECT archived_at AS "archivedAt" FROM managed_certificates WHERE id = ${id} FOR UPDATE`;
    if (!found[0]) throw notFound("certificate", id);
    await requireCertificate(tx, actor.grants, id);
    if (found[0].archivedAt) return;
    const open = await tx.job.findMany({
      where: { certificateId: id, status: { in: ["Pending", "AwaitingCSR", "Running"] } },
      select: { id: true },
    });
    if (open.length > 0) {
      throw conflict(
        "JOBS_OPEN",
        `certificate ${id} has ${open.length} open jobs: ${open.map((job) => job.id).join(", ")}`,
      );
    }
    await tx.managedCertificate.update({ where: { id }, data: { archivedAt: clock() } });
    await audit(tx, actor, "certificate_archived", id, {});
  });
}

/** Brings a declaration into the form that is stored; every problem is reported at once. */
async function check(tx: Transaction, { reserved }: DeclareDeps, wanted: Declaration) {
  const violations: FieldViolation[] = [];
  const sans = canonicalNames(wanted, violations);
  const issuerId = wanted.issuerId || defaultIssuerId;
  const issuer = await tx.issuer.findUnique({ where: { id: issuerId } });
  if (!issuer) violations.push({ field: "issuer_id", description: `issuer ${issuerId} does not exist` });
  const refusal =
    issuer && violations.length === 0 ? issuerByKind.get(issuer.kind)?.refuses(sans, reserved) : null;
  if (refusal) violations.push({ field: "sans", description: refusal });
  const agent = wanted.agentId === "" ? null : await tx.agent.findUnique({ where: { id: wanted.agentId } });
  if (wanted.agentId !== "" && !agent) {
    violations.push({ field: "agent_id", description: `agent ${wanted.agentId} does not exist` });
  }
  const targets = await tx.target.findMany({ where: { id: { in: wanted.targetIds }, archivedAt: null } });
  wanted.targetIds.forEach((id, index) => {
    if (targets.some((target) => target.id === id)) return;
    violations.push({ field: `target_ids[${index}]`, description: `target ${id} does not exist` });
  });
  const [first, ...others] = violations;
  if (first) throw invalid(first, ...others);
  return {
    name: wanted.name,
    commonName: parseSan(wanted.commonName).value,
    sans,
    issuerId,
    agentId: wanted.agentId || null,
    targetIds: wanted.targetIds,
    keyAlgorithm: wanted.keyAlgorithm,
    validitySeconds: wanted.validitySeconds || defaultValiditySeconds,
  };
}

/** The common name is always among the names: a client looks nowhere else (RFC 9525, 2). */
function canonicalNames({ commonName, sans }: Declaration, violations: FieldViolation[]): string[] {
  const named = [
    { field: "common_name", text: commonName },
    ...sans.map((text, i) => ({ field: `sans[${i}]`, text })),
  ];
  const names = named.flatMap(({ field, text }) => {
    try {
      const { value } = parseSan(text);
      // What a subject has room for (RFC 5280, upper bounds); an A-label is longer than what people write.
      if (field === "common_name" && value.length > 64)
        throw new NameError(`"${value}" is longer than the 64 characters of a common name`);
      return [value];
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      violations.push({ field, description: error.message });
      return [];
    }
  });
  return [...new Set(names)];
}

function refusal(error: unknown, id: string, name: string): unknown {
  if (isUniqueViolation(error, "live_name")) {
    return conflict("NAME_TAKEN", `a certificate named "${name}" exists already`, [
      { field: "name", description: "must be unique among certificates that are not archived" },
    ]);
  }
  return isUniqueViolation(error) ? alreadyExists("certificate", id) : error;
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  id: string,
  details: Record<string, string | number | string[] | null>,
): Promise<void> {
  await recordAudit(tx, actor, { action, resourceType: "certificate", resourceId: id, details });
}
