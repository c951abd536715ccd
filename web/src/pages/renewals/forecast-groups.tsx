import { Link } from "@tanstack/react-router";
import { ForecastGroupingSchema, type RenewalForecast } from "#gen/certctl/v1/renewals_pb.ts";
import { Sparkline } from "../../charts/sparkline.tsx";
import { wordOfValue } from "../../status/words.ts";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { Panel } from "../../ui/panel.tsx";
import { numberText } from "../../ui/time-text.ts";

type Group = RenewalForecast["groups"][number];

/** What each issuer, team or environment has of the forecast. */
export function ForecastGroups({ forecast }: { forecast: RenewalForecast }) {
  const group = wordOfValue(ForecastGroupingSchema, forecast.group);
  if (group === "") return null;
  const seriesOf = (value: string) =>
    forecast.days.map((day) => day.groups.find((each) => each.value === value)?.count ?? 0);
  const columns: Column<Group>[] = [
    {
      key: "name",
      header: group.charAt(0).toUpperCase() + group.slice(1),
      cell: ({ value, name }) => (
        <Link
          to="/certificates"
          search={{ [group]: value || "-", sort: "renew_at" } as never}
          className="block truncate hover:text-accent"
        >
          {name || value || `No ${group}`}
        </Link>
      ),
    },
    {
      key: "shape",
      header: "Over the days",
      from: "md",
      cell: ({ value }) => <Sparkline values={seriesOf(value)} />,
    },
    {
      key: "most",
      header: "On one day at most",
      isRight: true,
      cell: ({ value }) => numberText(Math.max(0, ...seriesOf(value))),
    },
    { key: "count", header: "Renewals", isRight: true, cell: ({ count }) => numberText(count) },
  ];
  return (
    <Panel title={`By ${group}`} isFlush>
      <div className="px-2 pb-2">
        <DataTable
          label={`Renewals by ${group}`}
          rows={forecast.groups}
          columns={columns}
          keyOf={({ value }) => value || "none"}
          summary={({ count }) => `${numberText(count)} renewals`}
        />
      </div>
    </Panel>
  );
}
