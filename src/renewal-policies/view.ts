import { Prisma } from "#gen/prisma/client.ts";
import { namedResource } from "../resources/named.ts";

export interface PolicyChannelView {
  notifierId: string;
  thresholdsDays: number[];
  events: string[];
}

export interface RenewalPolicyView {
  id: string;
  name: string;
  renewalWindowDays: number;
  autoRenew: boolean;
  healDrift: boolean;
  maxRetries: number;
  alertThresholdsDays: number[];
  certificateCount: number;
  channels: PolicyChannelView[];
  createdAt: Date;
  updatedAt: Date;
  archivedAt: Date | null;
}

const renewalPolicies = namedResource<RenewalPolicyView>(Prisma.sql`
    SELECT p.id, p.name, p.renewal_window_days AS "renewalWindowDays", p.auto_renew AS "autoRenew",
      p.heal_drift AS "healDrift",
      p.max_retries AS "maxRetries", p.alert_thresholds_days AS "alertThresholdsDays", p.created_at AS "createdAt",
      p.updated_at AS "updatedAt", p.archived_at AS "archivedAt",
      (SELECT count(*)::int FROM managed_certificates c WHERE c.renewal_policy_id = p.id AND c.archived_at IS NULL)
        AS "certificateCount",
      (SELECT coalesce(jsonb_agg(jsonb_build_object('notifierId', ch.notifier_id,
          'thresholdsDays', ch.thresholds_days, 'events', ch.events) ORDER BY ch.notifier_id), '[]')
        FROM renewal_policy_channels ch WHERE ch.renewal_policy_id = p.id) AS channels
    FROM renewal_policies p`);
export const findRenewalPolicy = renewalPolicies.find;
export const listRenewalPolicies = renewalPolicies.list;
