import type { JsonObject } from "@bufbuild/protobuf";
import type { Notifier as NotifierRow, Prisma } from "#gen/prisma/client.ts";
import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireReachable } from "../connectors/destinations.ts";
import { maskSecrets, openSecrets, readWanted, sealSecrets } from "../connectors/secrets.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { Egress } from "../platform/egress.ts";
import { invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import type { Sealer } from "../platform/seal.ts";
import { type Archivable, lockLiveRow, writeRefusal } from "../resources/archive.ts";
import type { Notifier } from "./notifier.ts";
import { notifierByKind, notifiers } from "./registry.ts";

export interface NotifierDeps {
  db: Database;
  sealer: Sealer;
  egress: Egress;
  clock: () => Date;
}

export const notifierKind: Archivable = { what: "notifier", table: "notifiers" };

/** A notifier as an operator writes it. */
export interface WantedNotifier {
  id: string;
  name: string;
  config: JsonObject;
  enabled: boolean;
  defaultRecipient: string;
}

export async function createNotifier(
  { db, sealer, egress, clock }: NotifierDeps,
  actor: Actor,
  wanted: WantedNotifier & { kind: string },
): Promise<string> {
  const id = wanted.id || newId("nf");
  const { name, kind, enabled, defaultRecipient } = wanted;
  const notifier = kindOf(kind);
  requireRecipientFits(notifier, defaultRecipient);
  const plain = readWanted(notifier.config, wanted.config, null);
  requireReachable(egress, notifier.config, plain);
  const config = stored(sealer, notifier, id, plain);
  const now = clock();
  try {
    await db.$transaction(async (tx) => {
      const data = { name, kind, enabled, defaultRecipient, config };
      await tx.notifier.create({ data: { id, ...data, createdAt: now, updatedAt: now } });
      await audit(tx, actor, "notifier_created", id, { ...data, config: maskSecrets(config) });
    });
  } catch (error) {
    throw writeRefusal(error, notifierKind, { id, name });
  }
  return id;
}

export async function updateNotifier(
  { db, sealer, egress, clock }: NotifierDeps,
  actor: Actor,
  wanted: WantedNotifier,
): Promise<void> {
  const { id, name, enabled, defaultRecipient } = wanted;
  try {
    await db.$transaction(async (tx) => {
      await lockLiveRow(tx, actor, notifierKind, id);
      const row = await tx.notifier.findUniqueOrThrow({ where: { id } });
      const notifier = kindOf(row.kind);
      requireRecipientFits(notifier, defaultRecipient);
      const current = openConfig(sealer, row);
      const plain = readWanted(notifier.config, wanted.config, current);
      requireReachable(egress, notifier.config, plain);
      const config = stored(sealer, notifier, id, plain);
      const data = { name, enabled, defaultRecipient, config, updatedAt: clock() };
      await recordChange(tx, actor, { ...notifierKind, id }, () =>
        tx.notifier.update({ where: { id }, data }),
      );
    });
  } catch (error) {
    throw writeRefusal(error, notifierKind, { id, name });
  }
}

export function kindOf(kind: string): Notifier {
  const notifier = notifierByKind.get(kind);
  if (notifier) return notifier;
  const known = notifiers.map((entry) => entry.kind).join(", ");
  throw invalid({ field: "kind", description: `"${kind}" is no kind of notifier; known are ${known}` });
}

/** A notifier's configuration as its connector needs it. Throws SealError. */
export function openConfig(sealer: Sealer, { id, config }: NotifierRow): JsonObject {
  return openSecrets(sealer, { table: "notifiers", id }, config as JsonObject);
}

function stored(sealer: Sealer, notifier: Notifier, id: string, config: JsonObject) {
  const sealed = sealSecrets(sealer, { table: "notifiers", id }, notifier.config, config);
  return sealed as JsonObject & Prisma.InputJsonObject;
}

function requireRecipientFits(notifier: Notifier, defaultRecipient: string): void {
  if (notifier.isAddressed || defaultRecipient === "") return;
  const description = `${notifier.title} sends where its configuration says; leave this empty`;
  throw invalid({ field: "default_recipient", description });
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  id: string,
  details: Parameters<typeof recordAudit>[2]["details"],
): Promise<void> {
  await recordAudit(tx, actor, {
    action,
    resourceType: "notifier",
    resourceId: id,
    ...(details ? { details } : {}),
  });
}
