import { Prisma } from "#gen/prisma/client.ts";
import { notifierByKind } from "../notifiers/registry.ts";
import type { Transaction } from "../platform/database.ts";
import { defaultRenewalPolicyId } from "../renewal-policies/manage.ts";

/** A notifier that a renewal policy names, with what it is told. */
export interface Channel {
  notifierId: string;
  kind: string;
  enabled: boolean;
  archivedAt: Date | null;
  thresholdsDays: number[];
  events: string[];
  /** For kinds that send to addresses: the owner's, else the team's, else the notifier's own. May be empty. */
  recipient: string;
}

const notifierColumns = Prisma.sql`
  n.id AS "notifierId", n.kind, n.enabled, n.archived_at AS "archivedAt", ch.thresholds_days AS "thresholdsDays", ch.events`;

/** Whom the certificate belongs to: an archived owner or team is told nothing. */
const responsible = Prisma.sql`
  LEFT JOIN owners o ON o.id = c.owner_id AND o.archived_at IS NULL
  LEFT JOIN teams t ON t.id = coalesce(c.team_id, o.team_id) AND t.archived_at IS NULL`;

const address = Prisma.sql`
  coalesce(nullif(o.email, ''), nullif(t.email, ''), n.default_recipient) AS recipient`;

/** The channels of a certificate's renewal policy. */
export async function channelsOfCertificate(tx: Transaction, certificateId: string): Promise<Channel[]> {
  const channels = await tx.$queryRaw<Channel[]>`
    SELECT ${notifierColumns}, ${address}
    FROM managed_certificates c
    JOIN renewal_policy_channels ch ON ch.renewal_policy_id = c.renewal_policy_id
    JOIN notifiers n ON n.id = ch.notifier_id
    ${responsible}
    WHERE c.id = ${certificateId} ORDER BY n.id`;
  return channels.map(addressed);
}

/** The channels of the policies of what an agent keeps alive; of the default policy for one that keeps nothing. */
export async function channelsOfAgent(tx: Transaction, agentId: string): Promise<Channel[]> {
  const policies = Prisma.sql`
    SELECT c.renewal_policy_id AS id FROM managed_certificates c
    WHERE c.archived_at IS NULL AND (c.agent_id = ${agentId} OR EXISTS (
      SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
      WHERE m.certificate_id = c.id AND t.agent_id = ${agentId}))`;
  const channels = await tx.$queryRaw<Channel[]>`
    WITH policies AS (${policies})
    SELECT DISTINCT ON (n.id) ${notifierColumns}, n.default_recipient AS recipient
    FROM renewal_policy_channels ch JOIN notifiers n ON n.id = ch.notifier_id
    WHERE ch.renewal_policy_id IN (SELECT id FROM policies)
      OR (ch.renewal_policy_id = ${defaultRenewalPolicyId} AND NOT EXISTS (SELECT 1 FROM policies))
    ORDER BY n.id, 'AgentOffline' = ANY(ch.events) DESC`;
  return channels.map(addressed);
}

/** The channels of every renewal policy, for what concerns the whole estate. */
export async function channelsOfAll(tx: Transaction, event: string): Promise<Channel[]> {
  const channels = await tx.$queryRaw<Channel[]>`
    SELECT DISTINCT ON (n.id) ${notifierColumns}, n.default_recipient AS recipient
    FROM renewal_policy_channels ch JOIN notifiers n ON n.id = ch.notifier_id
    JOIN renewal_policies p ON p.id = ch.renewal_policy_id AND p.archived_at IS NULL
    ORDER BY n.id, ${event} = ANY(ch.events) DESC`;
  return channels.map(addressed);
}

/** Where a notification would go if it went through a notifier now; empty where the kind needs no address. */
export async function recipientThrough(
  tx: Transaction,
  { certificateId, notifierId }: { certificateId: string | null; notifierId: string },
): Promise<string> {
  const [row] = await tx.$queryRaw<{ kind: string; recipient: string }[]>`
    SELECT n.kind, ${address} FROM notifiers n
    LEFT JOIN managed_certificates c ON c.id = ${certificateId}
    ${responsible}
    WHERE n.id = ${notifierId}`;
  return row && notifierByKind.get(row.kind)?.isAddressed ? row.recipient : "";
}

/**
 * Notifiers that keep incidents, were told of one and not yet of its end: they are told, whatever the policy says now.
 */
export async function openIncidents(tx: Transaction, incidentKey: string): Promise<Channel[]> {
  const rows = await tx.$queryRaw<(Channel & { effect: string })[]>`
    SELECT DISTINCT ON (n.id) n.id AS "notifierId", n.kind, n.enabled, n.archived_at AS "archivedAt",
      '{}'::int[] AS "thresholdsDays", '{}'::text[] AS events, '' AS recipient, e.effect
    FROM notification_events e JOIN notifiers n ON n.id = e.notifier_id
    WHERE e.incident_key = ${incidentKey} ORDER BY n.id, e.created_at DESC, e.effect = 'trigger'`;
  return rows.filter(({ effect, kind }) => effect === "trigger" && notifierByKind.get(kind)?.keepsIncidents);
}

function addressed(channel: Channel): Channel {
  return notifierByKind.get(channel.kind)?.isAddressed ? channel : { ...channel, recipient: "" };
}
