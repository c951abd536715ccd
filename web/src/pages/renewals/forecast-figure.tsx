import type { RenewalForecast } from "#gen/certctl/v1/renewals_pb.ts";
import { type DayBar, DayBars } from "../../charts/day-bars.tsx";
import { Figure } from "../../charts/figure.tsx";
import { countText, numberText } from "../../ui/time-text.ts";

interface ForecastFigureProps {
  forecast: RenewalForecast;
  height?: number;
  /** Leaves out what belongs to the page about renewals. */
  isBrief?: boolean;
}

/** The renewals of each day as bars, and what is to be said of them beside. */
export function ForecastFigure({ forecast, height, isBrief }: ForecastFigureProps) {
  const { days, earlyPerDay, overdue, unplanned, limits, windows, whenCaWants } = forecast;
  const groups = [
    ...new Set(days.flatMap((day) => day.groups.map(({ value, name }) => name || value || "none"))),
  ];
  return (
    <div className="flex flex-col gap-2">
      <Figure
        sentence={sentenceOf(forecast)}
        table={{
          head: ["Day", "Renewals", ...groups, "Expire"],
          rows: days.map((day) => [
            day.date,
            day.renewals,
            ...groups.map(
              (group) =>
                day.groups.find(({ value, name }) => (name || value || "none") === group)?.count ?? 0,
            ),
            day.expiring,
          ]),
        }}
      >
        <DayBars
          label={`Renewals on each of ${days.length} days`}
          days={days.map(barOf)}
          limit={limitOf(forecast)}
          {...(height !== undefined && { height })}
        />
      </Figure>
      <ul className="flex flex-wrap gap-x-5 gap-y-1 text-fg2 text-sm">
        {!isBrief && (
          <li>{numberText(earlyPerDay)} a day may be renewed before their plan without a person's yes</li>
        )}
        {whenCaWants > 0 && (
          <li>
            {countText(whenCaWants, "certificate")} next when the CA wants it (ARI), the others by policy
          </li>
        )}
        {overdue > 0 && <li>{countText(overdue, "overdue renewal")} not among the bars</li>}
        {unplanned > 0 && <li>{countText(unplanned, "certificate")} certctl does not renew by itself</li>}
        {!isBrief && limits.length === 0 && <li>No limits of CAs are known</li>}
        {!isBrief &&
          limits.map(({ name, perDay }) => (
            <li key={name}>
              {name} orders at most {numberText(perDay)} a day
            </li>
          ))}
        {!isBrief && windows.length === 0 && <li>No change windows are known</li>}
      </ul>
    </div>
  );
}

export function barOf(day: RenewalForecast["days"][number]): DayBar {
  const expire = day.expiring > 0 ? `, ${day.expiring} would expire` : "";
  const [first, ...others] = day.groups;
  const by = first
    ? ` (${[first, ...others.slice(0, 2)].map(({ name, value, count }) => `${name || value || "none"} ${count}`).join(", ")})`
    : "";
  return { date: day.date, value: day.renewals, text: `${countText(day.renewals, "renewal")}${by}${expire}` };
}

/** The tightest known limit of a CA, or how many early ones are let through. */
function limitOf({ limits, earlyPerDay }: RenewalForecast) {
  const [tightest] = limits.toSorted((one, other) => one.perDay - other.perDay);
  return tightest
    ? { value: tightest.perDay, label: `${tightest.name}: ${numberText(tightest.perDay)} a day` }
    : { value: earlyPerDay, label: `early ones: ${numberText(earlyPerDay)} a day` };
}

function sentenceOf({ days, renewals, lifetimeDays }: RenewalForecast): string {
  const busiest = days.reduce((most, day) => (day.renewals > most.renewals ? day : most), {
    date: "",
    renewals: 0,
  });
  const span = days.length % 7 === 0 ? countText(days.length / 7, "week") : countText(days.length, "day");
  const assumed = lifetimeDays > 0 ? `If every certificate lived ${lifetimeDays} days: ` : "";
  if (renewals === 0) return `${assumed}Nothing is due in ${span}.`;
  const many = `${countText(renewals, "renewal")} in ${span}`;
  return `${assumed}${many}, at most ${numberText(busiest.renewals)} on one day, ${busiest.date}.`;
}
