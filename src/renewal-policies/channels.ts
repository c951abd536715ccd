import type { Transaction } from "../platform/database.ts";
import { type FieldViolation, invalid } from "../platform/errors.ts";
import type { PolicyChannelView } from "./view.ts";

/** Replaces a policy's channels; every mistake is reported at once. */
export async function writeChannels(
  tx: Transaction,
  renewalPolicyId: string,
  channels: readonly PolicyChannelView[],
  policyThresholds: readonly number[],
): Promise<void> {
  const notifierIds = channels.map(({ notifierId }) => notifierId);
  // The lock keeps a notifier from being archived meanwhile.
  const live = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM notifiers WHERE id = ANY(${notifierIds}::text[]) AND archived_at IS NULL ORDER BY id FOR SHARE`;
  const violations = channels.flatMap((channel, index): FieldViolation[] => {
    const field = `channels[${index}]`;
    const { notifierId, thresholdsDays, events } = channel;
    const wrong: FieldViolation[] = [];
    if (!live.some(({ id }) => id === notifierId))
      wrong.push({ field: `${field}.notifier_id`, description: `notifier ${notifierId} does not exist` });
    if (notifierIds.indexOf(notifierId) < index)
      wrong.push({ field: `${field}.notifier_id`, description: `${notifierId} stands in the list already` });
    if (thresholdsDays.length === 0 && events.length === 0)
      wrong.push({ field, description: "is told nothing: name thresholds_days or events, or leave it out" });
    const foreign = thresholdsDays.filter((days) => !policyThresholds.includes(days));
    if (foreign.length > 0) {
      const description = `${foreign.join(", ")} is not among the alert_thresholds_days ${policyThresholds.join(", ")}`;
      wrong.push({ field: `${field}.thresholds_days`, description });
    }
    return wrong;
  });
  const [first, ...others] = violations;
  if (first) throw invalid(first, ...others);
  await tx.renewalPolicyChannel.deleteMany({ where: { renewalPolicyId } });
  await tx.renewalPolicyChannel.createMany({
    data: channels.map((channel) => ({ ...channel, renewalPolicyId })),
  });
}
