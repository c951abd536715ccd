import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Certificate } from "#gen/certctl/v1/certificates_pb.ts";
import { ForecastGrouping, type RenewalService } from "#gen/certctl/v1/renewals_pb.ts";
import { liveCertificates } from "../refresh.ts";
import type { World } from "../world.ts";

const dayMs = 86_400_000;

interface Planned {
  day: number;
  value: string;
  name: string;
}

/** The control plane's forecast, over what the demo has. */
export function renewalsDemo(world: World): Partial<ServiceImpl<typeof RenewalService>> {
  return {
    getRenewalForecast({ days: wanted, group, lifetimeDays }) {
      const now = Date.now();
      const count = wanted || 98;
      const today = Math.floor(now / dayMs);
      const issued = liveCertificates(world).filter(({ expiresAt }) => expiresAt);
      const planned = issued.flatMap((certificate) =>
        plansOf(certificate, { now, lifetimeDays, count, group }),
      );
      const overdue =
        lifetimeDays > 0
          ? []
          : issued.filter(({ renewAt }) => renewAt && timestampDate(renewAt).getTime() <= now);
      const groups = (some: readonly Planned[]) =>
        group === ForecastGrouping.UNSPECIFIED ? [] : summed(some);
      return {
        forecast: {
          at: timestampFromDate(new Date(now)),
          days: Array.from({ length: count }, (_, index) => {
            const due = planned.filter(({ day }) => day === today + index);
            return {
              date: new Date((today + index) * dayMs).toISOString().slice(0, 10),
              renewals: due.length,
              groups: groups(due),
              expiring: issued.filter(
                ({ expiresAt }) => expiresAt && dayOf(timestampDate(expiresAt).getTime()) === today + index,
              ).length,
            };
          }),
          renewals: planned.length,
          groups: groups(planned),
          overdue: overdue.length,
          overdueGroups: groups(
            overdue.map((certificate) => ({ day: today, ...groupOf(certificate, group) })),
          ),
          earlyPerDay: 50,
          lifetimeDays,
          group,
        },
      };
    },
  };
}

const dayOf = (at: number) => Math.floor(at / dayMs);

/** The days on which a certificate is renewed: when two thirds of its lifetime have passed, again and again. */
function plansOf(
  certificate: Certificate,
  {
    now,
    lifetimeDays,
    count,
    group,
  }: { now: number; lifetimeDays: number; count: number; group: ForecastGrouping },
): Planned[] {
  const { validitySeconds, renewAt } = certificate;
  const everyMs = ((lifetimeDays * dayMs || validitySeconds * 1_000) * 2) / 3;
  const planned = renewAt ? timestampDate(renewAt).getTime() : now;
  const first = lifetimeDays > 0 ? planned - Math.floor((planned - now) / everyMs) * everyMs : planned;
  const end = (dayOf(now) + count) * dayMs;
  const turns = [];
  for (let at = first; at < end; at += everyMs)
    if (at > now) turns.push({ day: dayOf(at), ...groupOf(certificate, group) });
  return turns;
}

function groupOf(certificate: Certificate, group: ForecastGrouping): { value: string; name: string } {
  if (group === ForecastGrouping.ISSUER) return { value: certificate.issuerId, name: certificate.issuerName };
  if (group === ForecastGrouping.TEAM) return { value: certificate.teamId, name: certificate.teamName };
  const value = group === ForecastGrouping.ENVIRONMENT ? certificate.environment : "";
  return { value, name: value };
}

function summed(planned: readonly Planned[]) {
  const groups = new Map<string, { value: string; name: string; count: number }>();
  for (const { value, name } of planned)
    groups.set(value, { value, name, count: (groups.get(value)?.count ?? 0) + 1 });
  return [...groups.values()].sort((one, other) => other.count - one.count);
}
