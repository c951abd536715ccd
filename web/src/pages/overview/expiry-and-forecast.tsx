import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { RenewalService } from "#gen/certctl/v1/renewals_pb.ts";
import { Figure } from "../../charts/figure.tsx";
import { Heatmap } from "../../charts/heatmap.tsx";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { countText } from "../../ui/time-text.ts";
import { ForecastFigure } from "../renewals/forecast-figure.tsx";
import { forecastRequest } from "../renewals/parameters.ts";

const request = forecastRequest({ range: 14, group: "none", whatif: 0 });

/** Fourteen weeks ahead: what will be renewed, and what would end if nothing were. */
export function ExpiryAndForecast() {
  const query = useQuery(RenewalService.method.getRenewalForecast, request);
  const forecast = query.data?.forecast;
  if (query.error && !forecast)
    return <ErrorCard error={query.error} what="the forecast" onRetry={() => void query.refetch()} />;
  return (
    <div className="grid items-start gap-4 xl:grid-cols-[3fr_2fr]">
      <Panel
        title="Renewals ahead"
        actions={
          <Link to="/renewals" className="text-accent hover:underline">
            Forecast
          </Link>
        }
      >
        {forecast ? <ForecastFigure forecast={forecast} height={132} isBrief /> : <Skeleton lines={5} />}
      </Panel>
      <Panel title="Expiry">
        {forecast ? (
          <Figure
            sentence={`${countText(
              forecast.days.reduce((sum, { expiring }) => sum + expiring, 0),
              "certificate",
            )} would expire in 14 weeks if nothing were renewed.`}
            table={{
              head: ["Day", "Expire"],
              rows: forecast.days.map(({ date, expiring }) => [date, expiring]),
            }}
          >
            <Heatmap
              label="Certificates that expire on each day"
              days={forecast.days.map(({ date, expiring }) => ({
                date,
                value: expiring,
                text: `${countText(expiring, "certificate")} would expire`,
              }))}
            />
          </Figure>
        ) : (
          <Skeleton lines={5} />
        )}
      </Panel>
    </div>
  );
}
