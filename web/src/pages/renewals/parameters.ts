import { ForecastGroupingSchema } from "#gen/certctl/v1/renewals_pb.ts";
import { valuesOfWords } from "../../status/words.ts";
import { choice, count, type Values } from "../../url/search.ts";

/** What the URL of the page says. */
export const renewalParameters = {
  /** Weeks ahead. */
  range: count(14),
  group: choice(["none", "issuer", "team", "environment"], "none"),
  /** A lifetime in days; 0: each certificate's own. */
  whatif: count(0),
};

export type RenewalValues = Values<typeof renewalParameters>;

export const ranges = [2, 6, 14, 26] as const;
/** What public CAs may issue from 2027-03-15 and from 2029-03-15, and what short-lived certificates have. */
export const lifetimes = [0, 100, 47, 6] as const;

/** The question that the page asks. */
export function forecastRequest({ range, group, whatif }: RenewalValues) {
  const [grouping] = valuesOfWords(ForecastGroupingSchema, [group]);
  return {
    days: Math.min(Math.max(range, 1), 57) * 7,
    lifetimeDays: Math.min(whatif, 398),
    ...(grouping !== undefined && { group: grouping }),
  };
}
