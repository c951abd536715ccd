import { recordChange } from "../audit/changes.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { conflict } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { type Archivable, archiveRow, lockLiveRow, writeRefusal } from "../resources/archive.ts";
import { writeChannels } from "./channels.ts";
import type { PolicyChannelView } from "./view.ts";

export const renewalPolicyKind: Archivable = { what: "renewal_policy", table: "renewal_policies" };

/** The policy that exists from the first start, for every certificate that names no other. */
export const defaultRenewalPolicyId = "rp-default";

const defaults = {
  renewalWindowDays: 30,
  autoRenew: true,
  healDrift: false,
  maxRetries: 4,
  alertThresholdsDays: [30, 14, 7, 0],
};

/** As an operator writes it; what is left out or zero stands for the default. */
export interface RenewalPolicyWish {
  id: string;
  name: string;
  renewalWindowDays: number;
  autoRenew?: boolean | undefined;
  healDrift?: boolean | undefined;
  maxRetries?: number | undefined;
  alertThresholdsDays: number[];
  channels: PolicyChannelView[];
}

export async function createRenewalPolicy(
  db: Database,
  actor: Actor,
  wanted: RenewalPolicyWish,
): Promise<string> {
  const id = wanted.id || newId("rp");
  try {
    await db.$transaction(async (tx) => {
      const data = completed(wanted);
      await tx.renewalPolicy.create({ data: { id, ...data } });
      await writeChannels(tx, id, wanted.channels, data.alertThresholdsDays);
      await audit(tx, actor, "renewal_policy_created", id, data, wanted.channels);
    });
  } catch (error) {
    throw writeRefusal(error, renewalPolicyKind, { id, name: wanted.name });
  }
  return id;
}

export async function updateRenewalPolicy(
  db: Database,
  actor: Actor,
  wanted: RenewalPolicyWish,
): Promise<void> {
  const { id } = wanted;
  try {
    await db.$transaction(async (tx) => {
      await lockLiveRow(tx, actor, renewalPolicyKind, id);
      const data = completed(wanted);
      const related = async () => ({ channels: channelDetails(await channelsOf(tx, id)) });
      await recordChange(tx, actor, { ...renewalPolicyKind, id, related }, async () => {
        await tx.renewalPolicy.update({ where: { id }, data });
        await writeChannels(tx, id, wanted.channels, data.alertThresholdsDays);
      });
    });
  } catch (error) {
    throw writeRefusal(error, renewalPolicyKind, wanted);
  }
}

/** Archives a policy without live certificates. The default one stays: certificates without a policy fall back to it. */
export async function archiveRenewalPolicy(db: Database, actor: Actor, id: string, now: Date): Promise<void> {
  if (id === defaultRenewalPolicyId) {
    throw conflict("DEFAULT_POLICY", `renewal policy ${id} is the default and cannot be archived; change it`);
  }
  await archiveRow(db, actor, renewalPolicyKind, {
    id,
    now,
    dependants: async (tx) => ({
      certificates: await tx.managedCertificate.count({ where: { renewalPolicyId: id, archivedAt: null } }),
    }),
  });
}

function completed(wanted: RenewalPolicyWish) {
  const thresholds =
    wanted.alertThresholdsDays.length > 0 ? wanted.alertThresholdsDays : defaults.alertThresholdsDays;
  return {
    name: wanted.name,
    renewalWindowDays: wanted.renewalWindowDays || defaults.renewalWindowDays,
    autoRenew: wanted.autoRenew ?? defaults.autoRenew,
    healDrift: wanted.healDrift ?? defaults.healDrift,
    maxRetries: wanted.maxRetries ?? defaults.maxRetries,
    alertThresholdsDays: thresholds.toSorted((a, b) => b - a),
  };
}

async function audit(
  tx: Transaction,
  actor: Actor,
  action: string,
  id: string,
  data: ReturnType<typeof completed>,
  channels: PolicyChannelView[],
): Promise<void> {
  await recordAudit(tx, actor, {
    action,
    resourceType: "renewal_policy",
    resourceId: id,
    details: {
      name: data.name,
      renewal_window_days: data.renewalWindowDays,
      auto_renew: data.autoRenew,
      heal_drift: data.healDrift,
      max_retries: data.maxRetries,
      alert_thresholds_days: data.alertThresholdsDays.map(String),
      channels: channelDetails(channels),
    },
  });
}

async function channelsOf(tx: Transaction, renewalPolicyId: string): Promise<PolicyChannelView[]> {
  return tx.renewalPolicyChannel.findMany({ where: { renewalPolicyId }, orderBy: { notifierId: "asc" } });
}

function channelDetails(channels: readonly PolicyChannelView[]) {
  return channels.map(({ notifierId, thresholdsDays, events }) => ({
    notifier_id: notifierId,
    thresholds_days: thresholdsDays,
    events,
  }));
}
