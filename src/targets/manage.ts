import type { JsonObject } from "@bufbuild/protobuf";
import { holdAgent } from "../agents/hold.ts";
import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { readConfig } from "../connectors/fields.ts";
import { openStatuses } from "../jobs/state.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { type Archivable, archiveRow, lockLiveRow, restoreRow, writeRefusal } from "../resources/archive.ts";
import { targetByKind, targets } from "./registry.ts";

const targetResource: Archivable = { what: "target", table: "deployment_targets" };

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
      const agent = await holdAgent(tx, agentId);
      if (!agent) throw invalid({ field: "agent_id", description: `agent ${agentId} does not exist` });
      if (agent.retiredAt) throw invalid({ field: "agent_id", description: `agent ${agentId} is retired` });
      await requireCapable(tx, agentId, kind);
      await tx.target.create({ data: { id, name, kind, agentId, config } });
      await audit(tx, actor, "target_created", id, {
        name,
        kind,
        agent_id: agentId,
        config: JSON.stringify(config),
      });
    });
  } catch (error) {
    throw writeRefusal(error, targetResource, { id, name });
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
      await lockLiveRow(tx, actor, targetResource, id);
      const { kind } = await tx.target.findUniqueOrThrow({ where: { id } });
      const config = checkConfig(kind, wanted.config);
      const data = { name, config };
      await recordChange(tx, actor, { ...targetResource, id }, () =>
        tx.target.update({ where: { id }, data }),
      );
    });
  } catch (error) {
    throw writeRefusal(error, targetResource, { id, name });
  }
}

/** Archives a target that no live certificate is deployed to, and to which nothing is being deployed. */
export async function archiveTarget({ db, clock }: TargetDeps, actor: Actor, id: string): Promise<void> {
  await archiveRow(db, actor, targetResource, {
    id,
    now: clock(),
    dependants: async (tx) => ({
      "open jobs": await tx.job.count({ where: { targetId: id, status: { in: [...openStatuses] } } }),
      certificates: await tx.managedCertificate.count({
        where: { archivedAt: null, targets: { some: { targetId: id } } },
      }),
    }),
  });
}

export async function restoreTarget({ db }: TargetDeps, actor: Actor, id: string): Promise<void> {
  await restoreRow(db, actor, targetResource, id, async (tx) => {
    const { agentId } = await tx.target.findUniqueOrThrow({ where: { id } });
    const agent = await holdAgent(tx, agentId);
    return agent?.retiredAt ? [agentId] : [];
  });
}

/** Throws InvalidArgument for an agent that said that it knows no such targets. */
async function requireCapable(tx: Transaction, agentId: string, kind: string): Promise<void> {
  const { capabilities } = await tx.agent.findUniqueOrThrow({ where: { id: agentId } });
  const isKnown = capabilities.some((capability) => capability.startsWith(`target.${kind}/`));
  // One that has never connected has said nothing yet.
  if (capabilities.length === 0 || isKnown) return;
  const description = `agent ${agentId} knows no targets of the kind ${kind}; update it`;
  throw invalid({ field: "kind", description });
}

/** The configuration as its kind's schema reads it; every problem is reported at once. */
export function checkConfig(kind: string, config: JsonObject): JsonObject {
  const target = targetByKind.get(kind);
  if (!target) {
    const known = targets.map((entry) => entry.kind).join(", ");
    throw invalid({ field: "kind", description: `"${kind}" is no kind of target; known are ${known}` });
  }
  return readConfig(target.config, config);
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
