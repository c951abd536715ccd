import { type Channel, channelsOfCertificate } from "../notifications/channels.ts";
import { obstacleOf } from "../notifications/raise.ts";
import type { Database } from "../platform/database.ts";

/** An alert threshold and a channel that is told when it is crossed; null: nobody is. */
export interface PlannedAlert {
  thresholdDays: number;
  at: Date;
  through: ToldChannel | null;
  toldAt: Date | null;
  /** A tighter threshold is crossed by then, and only the tightest is told of. */
  isOvertaken: boolean;
}

export interface ToldChannel extends Channel {
  name: string;
  /** Why it would tell nobody; empty if it would. */
  obstacle: string;
}

/** The channels of the certificate's renewal policy, with what stands in their way. */
export async function toldChannels(db: Database, certificateId: string): Promise<ToldChannel[]> {
  const channels = await channelsOfCertificate(db, certificateId);
  const notifiers = await db.notifier.findMany({
    where: { id: { in: channels.map(({ notifierId }) => notifierId) } },
    select: { id: true, name: true },
  });
  return channels.map((channel) => ({
    ...channel,
    name: notifiers.find(({ id }) => id === channel.notifierId)?.name ?? "",
    obstacle: obstacleOf(channel),
  }));
}

/**
 * When people are told of the end, and who. Where certctl renews by itself nobody is told before a day after the planned
 * renewal, whatever the thresholds say.
 */
export async function plannedAlerts(
  db: Database,
  channels: readonly ToldChannel[],
  version: { id: string; notAfter: Date; renewAt: Date },
  policy: { autoRenew: boolean; alertThresholdsDays: readonly number[] },
): Promise<PlannedAlert[]> {
  const told = await db.notification.findMany({
    where: { versionId: version.id, type: "CertificateExpiring" },
    select: { thresholdDays: true, notifierId: true, createdAt: true },
  });
  const dayMs = 86_400_000;
  const earliest = policy.autoRenew
    ? Math.min(version.renewAt.getTime() + dayMs, version.notAfter.getTime())
    : 0;
  return policy.alertThresholdsDays.flatMap((thresholdDays): PlannedAlert[] => {
    const crossedAt = (days: number) => version.notAfter.getTime() - days * dayMs;
    const at = new Date(Math.max(earliest, crossedAt(thresholdDays)));
    const isOvertaken = policy.alertThresholdsDays.some(
      (days) => days < thresholdDays && crossedAt(days) <= at.getTime(),
    );
    const through = channels.filter(({ thresholdsDays }) => thresholdsDays.includes(thresholdDays));
    if (through.length === 0) return [{ thresholdDays, at, through: null, toldAt: null, isOvertaken }];
    return through.map((channel) => {
      const row = told.find(
        (one) => one.thresholdDays === thresholdDays && one.notifierId === channel.notifierId,
      );
      return { thresholdDays, at, through: channel, toldAt: row?.createdAt ?? null, isOvertaken };
    });
  });
}
