import { useQuery } from "@connectrpc/connect-query";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { StatsService } from "#gen/certctl/v1/stats_pb.ts";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Page, PageHeader, Panel } from "../../ui/panel.tsx";
import { AgentsDown } from "./agents-down.tsx";
import { Attention } from "./attention.tsx";
import { ExpiryAndForecast } from "./expiry-and-forecast.tsx";
import { Failures } from "./failures.tsx";
import { Inventory } from "./inventory.tsx";
import { RunningJobs } from "./running-jobs.tsx";
import { SetupChecklist } from "./setup-checklist.tsx";
import { Violations } from "./violations.tsx";

/** What needs a person, worst first; then what certctl is doing by itself. */
export function OverviewPage() {
  const facets = useQuery(CertificateService.method.listCertificateFacets, {});
  const summary = useQuery(StatsService.method.getSummary);
  const error = facets.error ?? summary.error;
  const counted = summary.data?.summary;
  return (
    <Page>
      <PageHeader title="Overview" />
      <SetupChecklist />
      {error && !(facets.data && counted) ? (
        <ErrorCard
          error={error}
          what="the numbers"
          onRetry={() => {
            void facets.refetch();
            void summary.refetch();
          }}
        />
      ) : facets.data && counted ? (
        <>
          <Attention facets={facets.data} summary={counted} />
          <Panel title="Certificates">
            <Inventory facets={facets.data} />
          </Panel>
        </>
      ) : (
        <Panel>
          <Skeleton lines={4} />
        </Panel>
      )}
      <ExpiryAndForecast />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <RunningJobs />
        <Failures />
        <AgentsDown />
        <Violations />
      </div>
    </Page>
  );
}
