import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  ForecastGroupingSchema,
  RenewalForecastSchema,
  type RenewalService,
} from "#gen/certctl/v1/renewals_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { IssuerKinds } from "../issuers/manage.ts";
import type { Database } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";
import { wordsOf } from "../platform/words.ts";
import { type EarlyBound, earlyBound } from "./early.ts";
import { type ForecastGrouping, forecastRenewals, type PlannedCount } from "./forecast.ts";
import { orderLimits } from "./limits.ts";

const groupings = wordsOf(ForecastGroupingSchema);
const defaultDays = 98;
const dayMs = 86_400_000;

export function renewalService(deps: {
  db: Database;
  clock: () => Date;
  early: EarlyBound;
  issuerKinds: IssuerKinds;
  sealer: Sealer;
}): ServiceImpl<typeof RenewalService> {
  const { db, clock, early } = deps;
  return {
    async getRenewalForecast({ days: wanted, group, lifetimeDays }, context) {
      const now = clock();
      const days = wanted || defaultDays;
      const grouping = groupings.text(group) as ForecastGrouping;
      const { grants } = callerOf(context);
      const [{ planned, expiring, unplanned, whenCaWants }, earlyPerDay, limits] = await Promise.all([
        forecastRenewals(db, grants, { days, grouping, lifetimeDays }, now),
        earlyBound(db, early),
        orderLimits(db, deps),
      ]);
      const groupsOf = (counts: readonly PlannedCount[]) => (grouping === "" ? [] : summed(counts));
      const overdue = planned.filter(({ date }) => date === null);
      const dated = planned.filter(({ date }) => date !== null);
      const forecast = create(RenewalForecastSchema, {
        at: timestampFromDate(now),
        days: Array.from({ length: days }, (_, index) => {
          const date = new Date(now.getTime() + index * dayMs).toISOString().slice(0, 10);
          const counts = dated.filter((count) => count.date === date);
          return {
            date,
            renewals: total(counts),
            groups: groupsOf(counts),
            expiring: expiring.find((each) => each.date === date)?.count ?? 0,
          };
        }),
        renewals: total(dated),
        groups: groupsOf(dated),
        overdue: total(overdue),
        overdueGroups: groupsOf(overdue),
        unplanned,
        whenCaWants,
        earlyPerDay,
        lifetimeDays,
        group,
        limits,
      });
      return { forecast };
    },
  };
}

function total(counts: readonly PlannedCount[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

/** The counts of each group, the most first. */
function summed(counts: readonly PlannedCount[]) {
  const groups = new Map<string, { value: string; name: string; count: number }>();
  for (const { value, name, count } of counts)
    groups.set(value, { value, name, count: (groups.get(value)?.count ?? 0) + count });
  return [...groups.values()].sort((one, other) => other.count - one.count);
}
