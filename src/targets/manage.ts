import type { JsonObject } from "@bufbuild/protobuf";
import { type Actor, recordAudit } from "../audit/record.ts";
import { readConfig } from "../connectors/fields.ts";
import { type Database, isUniqueViolation, type Transaction } from "../platform/database.ts";
import { alreadyExists, conflict, invalid, notFound } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { targetByKind, targets } from "./registry.ts";

export interface TargetDeps {
  db: Database;
  clock: () => Date;
}

export async function createTarget(
  { db }: TargetDeps,
  actor: Actor,
  wanted: { id: string; name: string; kind: string; agentId: string; config: JsonObject },
): Promise<string> {
  const id = wanted.id || newId("tgt");
  const { name, kind, agentId } = wanted;
  const config = checkConfig(kind, wanted.config);
  try {
    await db.$transaction(async (tx) => {
      const agent = await tx.agent.findUnique({ where: { id: agentId } });
      if (!agent) throw invalid({ field: "agent_id", description: `agent ${agentId} does not exist` });
      await tx.target.create({ data: { id, name, kind, agentId, config } });
      await audit(tx, actor, "target_created", id, {
        name,
        kind,
        agent_id: agentId,
        config: JSON.stringify(config),
      });
    });
  } catch (error) {
    throw refusal(error, id, name);
  }
  return id;
}

export async function updateTarget(
  { db }: TargetDeps,
  actor: Actor,
  wanted: { id: string; name: string; config: JsonObject },
): Promise<void> {
  const { id, name } = wanted;
  try {
    await db.$transaction(async (tx) => {
      const target = await lockTarget(tx, id);
      if (target.archivedAt) throw conflict("ARCHIVED", `target ${id} is archived`);
      const config = checkConfig(target.kind, wanted.config);
      await tx.target.update({ where: { id }, data: { name, config } });
      await audit(tx, actor, "target_updated", id, { name, config: JSON.stringify(config) });
    });
  } catch (error) {
    throw refusal(error, id, name);
  }
}

/** Archives a target that no live certificate is deployed to. */
export async function archiveTarget({ db, clock }: TargetDeps, actor: Actor, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const target = await lockTarget(tx, id);
    if (target.archivedAt) return;
    const certificates = await tx.managedCertificate.findMany({
      where: { archivedAt: null, targets: { some: { targetId: id } } },
      select: { id: true },
    });
    if (certificates.length > 0) {
      const ids = certificates.map((certificate) => certificate.id).join(", ");
      throw conflict("IN_USE", `target ${id} is used by ${certificates.length} certificates: ${ids}`);
    }
    await tx.target.update({ where: { id }, data: { archivedAt: clock() } });
    await audit(tx, actor, "target_archived", id, {});
  });
}

/** The configuration as its kind's schema reads it; every problem is reported at once. */
function checkConfig(kind: string, config: JsonObject): JsonObject {
  const target = targetByKind.get(kind);
  if (!target) {
    const known = targets.map((entry) => entry.kind).join(", ");
    throw invalid({ field: "kind", description: `"${kind}" is no kind of target; known are ${known}` });
  }
  return readConfig(target.config, config);
}

async function lockTarget(tx: Transaction, id: string): Promise<{ kind: string; archivedAt: Date | null }> {
  const [row] = await tx.$queryRaw<{ kind: string; archivedAt: Date | null }[]>`
    SELECT kind, archived_at AS "archivedAt" FROM deployment_targets WHERE id = ${id} FOR UPDATE`;
  if (!row) throw notFound("target", id);
  return row;
}

function refusal(error: unknown, id: string, name: string): unknown {
  if (isUniqueViolation(error, "live_name")) {
    return conflict("NAME_TAKEN", `a target named "${name}" exists already`, [
      { field: "name", description: "must be unique among targets that are not archived" },
    ]);
  }
  return isUniqueViolation(error) ? alreadyExists("target", id) : error;
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  id: string,
  details: Record<string, string>,
): Promise<void> {
  await recordAudit(tx, actor, { action, resourceType: "target", resourceId: id, details });
}
