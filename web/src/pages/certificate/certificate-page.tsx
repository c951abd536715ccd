import { useQuery } from "@connectrpc/connect-query";
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { type Certificate, CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { CertificateBadge } from "../../status/certificate-status.tsx";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { PageHeader } from "../../ui/panel.tsx";
import { Settled } from "../../ui/settled.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { CertificateActions } from "./actions.tsx";
import { CertificateFacts } from "./facts.tsx";
import { JourneyPanel } from "./journey/journey-panel.tsx";
import { StatusSentence } from "./status-sentence.tsx";
import { TargetsPanel } from "./targets-panel.tsx";

// Each tab comes when it is opened.
const ChainTab = lazy(() => import("./chain-tab.tsx").then(({ ChainTab }) => ({ default: ChainTab })));
const ExplainTab = lazy(() =>
  import("./explain-tab.tsx").then(({ ExplainTab }) => ({ default: ExplainTab })),
);
const HistoryTab = lazy(() =>
  import("./history-tab.tsx").then(({ HistoryTab }) => ({ default: HistoryTab })),
);
const JourneysTab = lazy(() =>
  import("./journey/journeys-tab.tsx").then(({ JourneysTab }) => ({ default: JourneysTab })),
);
const VersionsTab = lazy(() =>
  import("./versions-tab.tsx").then(({ VersionsTab }) => ({ default: VersionsTab })),
);
const VersionTab = lazy(() =>
  import("./version-tab.tsx").then(({ VersionTab }) => ({ default: VersionTab })),
);

const tabs = ["", "journey", "targets", "versions", "chain", "explain", "history"] as const;
type Tab = (typeof tabs)[number];

const labels: Readonly<Record<Tab, string>> = {
  "": "Overview",
  journey: "Journey",
  targets: "Targets",
  versions: "Versions",
  chain: "Chain",
  explain: "Explain",
  history: "History",
};

const parent = { to: "/certificates", label: "Certificates" };

/** One certificate: how it stands, how it came to, what it is made of, and what can be done. */
export function CertificatePage() {
  const {
    id = "",
    tab = "",
    version,
  } = useParams({ strict: false }) as { id?: string; tab?: string; version?: string };
  const read = useQuery(CertificateService.method.getCertificate, { id });
  return (
    <ObjectPage id={id} what="certificate" parent={parent} value={read.data?.certificate} query={read}>
      {(certificate) => (
        <Settled>
          <PageHeader
            title={certificate.name}
            parent={parent}
            badge={<CertificateBadge status={certificate.status} schedule={certificate.schedule} />}
          >
            <CertificateActions certificate={certificate} />
          </PageHeader>
          <StatusSentence id={id} />
          <Tabs
            label="Of this certificate"
            tabs={tabs.map((name) => ({
              to: `/certificates/${id}${name && `/${name}`}`,
              label: labels[name],
            }))}
          />
          <Suspense fallback={<Skeleton lines={6} />}>
            {version ? (
              <VersionTab certificate={certificate} versionId={version} />
            ) : (
              <TabContent tab={tab} certificate={certificate} />
            )}
          </Suspense>
        </Settled>
      )}
    </ObjectPage>
  );
}

function TabContent({ tab, certificate }: { tab: string; certificate: Certificate }) {
  const { id } = certificate;
  if (tab === "journey") return <JourneysTab id={id} />;
  if (tab === "targets") return <TargetsPanel certificate={certificate} />;
  if (tab === "versions") return <VersionsTab certificate={certificate} />;
  if (tab === "chain") return <ChainTab certificate={certificate} />;
  if (tab === "explain") return <ExplainTab id={id} />;
  if (tab === "history") return <HistoryTab id={id} />;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
      <div className="flex min-w-0 flex-col gap-4">
        <JourneyPanel id={id} />
        <TargetsPanel certificate={certificate} />
      </div>
      <CertificateFacts certificate={certificate} />
    </div>
  );
}
