import type { JsonObject } from "@bufbuild/protobuf";
import { type Actor, recordAudit } from "../audit/record.ts";
import { readWanted } from "../connectors/secrets.ts";
import { invalid, notFound } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { kindOf, type NotifierDeps, openConfig } from "./manage.ts";
import type { Notice, Notifier } from "./notifier.ts";
import { type Delivery, sendNotice } from "./send.ts";

/** Sends a test message through a saved notifier. */
export async function testNotifier(
  deps: NotifierDeps,
  actor: Actor,
  { id, recipient }: { id: string; recipient: string },
  signal: AbortSignal,
): Promise<Delivery> {
  const row = await deps.db.notifier.findUnique({ where: { id } });
  if (!row) throw notFound("notifier", id);
  const config = openConfig(deps.sealer, row);
  return tell(
    deps,
    actor,
    { kind: row.kind, id, config, recipient: recipient || row.defaultRecipient },
    signal,
  );
}

/** Sends a test message through a configuration that is not saved; masks stand for the secrets of a notifier that is. */
export async function testNotifierConfig(
  deps: NotifierDeps,
  actor: Actor,
  wanted: { kind: string; config: JsonObject; recipient: string; notifierId: string },
  signal: AbortSignal,
): Promise<Delivery> {
  const { kind, recipient, notifierId } = wanted;
  const notifier = kindOf(kind);
  const row = notifierId === "" ? null : await deps.db.notifier.findUnique({ where: { id: notifierId } });
  if (notifierId !== "" && row?.kind !== kind) {
    throw invalid({ field: "notifier_id", description: `there is no ${kind} notifier ${notifierId}` });
  }
  const config = readWanted(notifier.config, wanted.config, row && openConfig(deps.sealer, row));
  return tell(deps, actor, { kind, id: notifierId, config, recipient }, signal);
}

async function tell(
  { db, egress, clock }: NotifierDeps,
  actor: Actor,
  { kind, id, config, recipient }: { kind: string; id: string; config: JsonObject; recipient: string },
  signal: AbortSignal,
): Promise<Delivery> {
  const notifier = kindOf(kind);
  if (notifier.isAddressed && recipient === "")
    throw invalid({ field: "recipient", description: "is needed where no default recipient is set" });
  const now = clock();
  const delivery = await sendNotice(notifier, config, testNotice(notifier, actor, recipient, now), {
    signal,
    egress,
    now,
  });
  await recordAudit(db, actor, {
    action: "notifier_tested",
    resourceType: "notifier",
    resourceId: id || kind,
    details: { kind, delivered: delivery.isDelivered, message: delivery.words },
  });
  return delivery;
}

function testNotice({ title }: Notifier, actor: Actor, recipient: string, at: Date): Notice {
  const id = newId("ntf");
  return {
    id,
    type: "Test",
    severity: "Info",
    effect: "inform",
    subject: "Test message from certctl",
    message: `This message shows that certctl can send by ${title}. Nothing has to be done.`,
    facts: [
      { name: "Asked for by", value: actor.id },
      { name: "At", value: at.toISOString() },
    ],
    threadKey: "test",
    incidentKey: `test/${id}`,
    recipient,
    at,
  };
}
