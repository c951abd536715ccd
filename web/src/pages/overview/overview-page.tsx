import { useQuery } from "@connectrpc/connect-query";
import { lazy, Suspense } from "react";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { StatsService } from "#gen/certctl/v1/stats_pb.ts";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Page, PageHeader, Panel } from "../../ui/panel.tsx";
import { Settled } from "../../ui/settled.tsx";
import { Attention } from "./attention.tsx";
import { Inventory } from "./inventory.tsx";

// The numbers are drawn first; the rest of the code comes after them.
const UnderWay = lazy(() => import("./under-way.tsx").then(({ UnderWay }) => ({ default: UnderWay })));
const SetupChecklist = lazy(() =>
  import("./setup-checklist.tsx").then(({ SetupChecklist }) => ({ default: SetupChecklist })),
);

/** What needs a person, worst first; then what certctl is doing by itself. */
export function OverviewPage() {
  const facets = useQuery(CertificateService.method.listCertificateFacets, {});
  const summary = useQuery(StatsService.method.getSummary);
  const error = facets.error ?? summary.error;
  const counted = summary.data?.summary;
  return (
    <Page>
      <PageHeader title="Overview" />
      <Suspense
        fallback={
          <Panel>
            <Skeleton lines={6} />
          </Panel>
        }
      >
        <Settled>
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
          <UnderWay />
        </Settled>
      </Suspense>
    </Page>
  );
}
