import type { JsonObject } from "@bufbuild/protobuf";
import type { Prisma } from "#gen/prisma/client.ts";
import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { readConfig } from "../connectors/fields.ts";
import { notify } from "../platform/bus.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { type Archivable, archiveRow, lockLiveRow, restoreRow, writeRefusal } from "../resources/archive.ts";
import { policiesTaskName } from "./inventory.ts";
import { ruleTypeByName, ruleTypes } from "./registry.ts";

const policyRuleKind: Archivable = { what: "policy_rule", table: "policy_rules" };

/** A rule as an operator writes it. */
export interface WantedRule {
  id: string;
  name: string;
  config: JsonObject;
  severity: string;
  mode: string;
  enabled: boolean;
}

export async function createRule(
  db: Database,
  actor: Actor,
  wanted: WantedRule & { type: string },
  now: Date,
): Promise<string> {
  const { name, type, severity, mode, enabled } = wanted;
  const id = wanted.id || newId("pr");
  try {
    await db.$transaction(async (tx) => {
      const config = await checkConfig(tx, type, wanted.config);
      const data = { name, type, config, severity, mode, enabled };
      await tx.policyRule.create({ data: { id, ...data, createdAt: now, updatedAt: now } });
      await audit(tx, actor, "policy_rule_created", id, data);
      await askForRun(tx, now);
    });
  } catch (error) {
    throw writeRefusal(error, policyRuleKind, { id, name });
  }
  return id;
}

export async function updateRule(db: Database, actor: Actor, wanted: WantedRule, now: Date): Promise<void> {
  const { id, name, severity, mode, enabled } = wanted;
  try {
    await db.$transaction(async (tx) => {
      await lockLiveRow(tx, actor, policyRuleKind, id);
      const { type } = await tx.policyRule.findUniqueOrThrow({ where: { id }, select: { type: true } });
      const config = await checkConfig(tx, type, wanted.config);
      const data = { name, config, severity, mode, enabled, updatedAt: now };
      await recordChange(tx, actor, { ...policyRuleKind, id }, () =>
        tx.policyRule.update({ where: { id }, data }),
      );
      await askForRun(tx, now);
    });
  } catch (error) {
    throw writeRefusal(error, policyRuleKind, { id, name });
  }
}

export async function archiveRule(db: Database, actor: Actor, id: string, now: Date): Promise<void> {
  await archiveRow(db, actor, policyRuleKind, { id, now });
  await db.$transaction((tx) => askForRun(tx, now));
}

export async function restoreRule(db: Database, actor: Actor, id: string, now: Date): Promise<void> {
  await restoreRow(db, actor, policyRuleKind, id);
  await db.$transaction((tx) => askForRun(tx, now));
}

/** The configuration as the type's schema reads it, with issuers that exist. */
export async function checkConfig(
  db: Database | Transaction,
  type: string,
  wanted: JsonObject,
): Promise<JsonObject & Prisma.InputJsonObject> {
  const ruleType = ruleTypeByName.get(type);
  if (!ruleType) {
    const known = ruleTypes.map((entry) => entry.type).join(", ");
    throw invalid({ field: "type", description: `"${type}" is no type of rule; known are ${known}` });
  }
  const config = readConfig(ruleType.config, wanted);
  const { allowed_issuer_ids: issuerIds } = config;
  if (Array.isArray(issuerIds)) {
    const ids = issuerIds.map(String);
    const found = await db.issuer.findMany({ where: { id: { in: ids } }, select: { id: true } });
    const missing = ids
      .map((id, index) => ({ id, field: `config.allowed_issuer_ids[${index}]` }))
      .filter(({ id }) => !found.some((issuer) => issuer.id === id))
      .map(({ id, field }) => ({ field, description: `issuer ${id} does not exist` }));
    const [first, ...others] = missing;
    if (first) throw invalid(first, ...others);
  }
  return config as JsonObject & Prisma.InputJsonObject;
}

/** Has every certificate held to the rules as they are now. */
async function askForRun(tx: Transaction, now: Date): Promise<void> {
  await tx.scheduledTask.updateMany({ where: { name: policiesTaskName }, data: { nextRunAt: now } });
  await notify(tx, "schedule", policiesTaskName);
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  resourceId: string,
  details: NonNullable<Parameters<typeof recordAudit>[2]["details"]>,
): Promise<void> {
  await recordAudit(tx, actor, { action, resourceType: "policy_rule", resourceId, details });
}
