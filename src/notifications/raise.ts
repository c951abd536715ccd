import type { Prisma } from "#gen/prisma/client.ts";
import { enqueue } from "../jobs/queue.ts";
import { notifierByKind } from "../notifiers/registry.ts";
import type { Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import {
  type Channel,
  channelsOfAgent,
  channelsOfAll,
  channelsOfCertificate,
  openIncidents,
} from "./channels.ts";
import {
  type LifecycleEvent,
  type Telling,
  tellAgentEvent,
  tellCertificateEvent,
  tellHeldEvent,
} from "./event.ts";

/**
 * Makes a notification for each channel that is to be told of an event, in the event's own transaction: they exist iff it
 * happened. What nobody can be told of, because no channel or no recipient is set, stands there dead, with the reason.
 */
export async function raiseEvent(tx: Transaction, event: LifecycleEvent, now: Date): Promise<void> {
  const telling = await tell(tx, event, now);
  if (!telling) return;
  const all = await channelsFor(tx, event);
  const wanting = all.filter((channel) => wants(channel, event));
  const closing = telling.effect === "resolve" ? await openIncidents(tx, telling.incidentKey) : [];
  const channels = [...wanting, ...closing.filter(({ notifierId }) => !isAmong(wanting, notifierId))];
  if (channels.length > 0) for (const channel of channels) await make(tx, event, telling, channel, now);
  else if (all.length === 0 && telling.effect === "trigger") await make(tx, event, telling, null, now);
}

async function channelsFor(tx: Transaction, event: LifecycleEvent): Promise<Channel[]> {
  if (event.type === "RenewalsHeld") return channelsOfAll(tx, event.type);
  if (event.type === "AgentOffline") return channelsOfAgent(tx, event.agentId);
  return channelsOfCertificate(tx, event.certificateId);
}

async function tell(tx: Transaction, event: LifecycleEvent, now: Date): Promise<Telling | null> {
  if (event.type === "RenewalsHeld") return tellHeldEvent(event);
  if (event.type === "AgentOffline") {
    const agent = await tx.agent.findUnique({ where: { id: event.agentId }, select: { name: true } });
    return agent && tellAgentEvent(event, agent.name);
  }
  const select = { id: true, name: true, commonName: true } as const;
  const certificate = await tx.managedCertificate.findUnique({ where: { id: event.certificateId }, select });
  return certificate && tellCertificateEvent(event, certificate, now);
}

function wants(channel: Channel, event: LifecycleEvent): boolean {
  if (event.type === "CertificateExpiring") return channel.thresholdsDays.includes(event.thresholdDays);
  return channel.events.includes(event.type);
}

function isAmong(channels: readonly Channel[], id: string): boolean {
  return channels.some(({ notifierId }) => notifierId === id);
}

async function make(
  tx: Transaction,
  event: LifecycleEvent,
  telling: Telling,
  channel: Channel | null,
  now: Date,
): Promise<void> {
  const obstacle = obstacleOf(channel);
  const { facts, ...words } = telling;
  const certificateId = "certificateId" in event ? event.certificateId : null;
  const agentId = "agentId" in event ? event.agentId : null;
  const id = newId("ntf");
  // The same alert again is left out by the unique index.
  const { count } = await tx.notification.createMany({
    data: [
      {
        ...words,
        id,
        type: event.type,
        facts: facts as unknown as Prisma.InputJsonArray,
        certificateId,
        agentId,
        versionId: "versionId" in event ? event.versionId : null,
        thresholdDays: event.type === "CertificateExpiring" ? event.thresholdDays : null,
        notifierId: channel?.notifierId ?? null,
        recipient: channel?.recipient ?? "",
        threadKey: threadOf(event),
        status: obstacle === "" ? "pending" : "dead",
        lastError: obstacle,
        nextAttemptAt: now,
        createdAt: now,
      },
    ],
    skipDuplicates: true,
  });
  if (count === 1 && obstacle === "") await enqueue(tx, "notify", id);
}

function threadOf(event: LifecycleEvent): string {
  if (event.type === "RenewalsHeld") return event.operationId;
  return event.type === "AgentOffline" ? event.agentId : event.certificateId;
}

/** Why a notification cannot be sent whatever the other side does; empty if it can. */
export function obstacleOf(
  channel: Pick<Channel, "notifierId" | "kind" | "enabled" | "archivedAt" | "recipient"> | null,
): string {
  if (!channel) return "no channel is configured: name a notifier in the renewal policy's channels";
  const { notifierId, kind, enabled, archivedAt, recipient } = channel;
  const notifier = notifierByKind.get(kind);
  if (!notifier) return `this server knows no notifier of the kind ${kind}`;
  if (archivedAt) return `notifier ${notifierId} is archived`;
  if (!enabled) return `notifier ${notifierId} is disabled`;
  if (notifier.isAddressed && recipient === "")
    return `there is nobody to send to: neither an owner nor a team has an e-mail address, and ${notifierId} has no default recipient`;
  return "";
}
