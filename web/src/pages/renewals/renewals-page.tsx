import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { RenewalService } from "#gen/certctl/v1/renewals_pb.ts";
import { Choice } from "../../ui/choice.tsx";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { FilterBar } from "../../ui/filter-bar.tsx";
import { Page, PageHeader, Panel } from "../../ui/panel.tsx";
import { Settled } from "../../ui/settled.tsx";
import { useParameters } from "../../url/use-parameters.ts";
import { ForecastFigure } from "./forecast-figure.tsx";
import { ForecastGroups } from "./forecast-groups.tsx";
import { ForecastMenu } from "./forecast-menu.tsx";
import { forecastRequest, lifetimes, ranges, renewalParameters } from "./parameters.ts";
import { OverdueRenewals, UpcomingRenewals } from "./renewal-lists.tsx";

/** What will be renewed when, by the plans of the inventory, or by those of another lifetime. */
export function RenewalsPage() {
  const [values, set] = useParameters(renewalParameters);
  const request = forecastRequest(values);
  const query = useQuery(RenewalService.method.getRenewalForecast, request, {
    placeholderData: keepPreviousData,
  });
  const forecast = query.data?.forecast;
  return (
    <Page>
      <PageHeader title="Renewals">
        {forecast && <ForecastMenu forecast={forecast} request={request} />}
      </PageHeader>
      <FilterBar>
        <Choice
          label="Weeks"
          values={ranges.map((value) => ({ value, label: String(value) }))}
          chosen={values.range}
          onChange={(range) => set({ range })}
        />
        <Choice
          label="If certificates lived"
          values={lifetimes.map((value) => ({ value, label: value === 0 ? "as they do" : `${value} days` }))}
          chosen={values.whatif}
          onChange={(whatif) => set({ whatif })}
        />
        <Choice
          label="By"
          values={[
            { value: "none", label: "all" },
            { value: "issuer", label: "issuer" },
            { value: "team", label: "team" },
            { value: "environment", label: "environment" },
          ]}
          chosen={values.group}
          onChange={(group) => set({ group })}
        />
      </FilterBar>
      <Settled>
        {query.error && !forecast ? (
          <ErrorCard error={query.error} what="the forecast" onRetry={() => void query.refetch()} />
        ) : (
          <Panel title="Forecast">
            {forecast ? (
              <div
                className={query.isPlaceholderData ? "opacity-60" : ""}
                aria-busy={query.isPlaceholderData}
              >
                <ForecastFigure forecast={forecast} />
              </div>
            ) : (
              <Skeleton lines={6} />
            )}
          </Panel>
        )}
        {forecast && <ForecastGroups forecast={forecast} />}
        <div className="grid items-start gap-4 lg:grid-cols-2">
          <OverdueRenewals />
          <UpcomingRenewals />
        </div>
      </Settled>
    </Page>
  );
}
