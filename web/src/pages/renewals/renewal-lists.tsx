import type { MessageInitShape } from "@bufbuild/protobuf";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { CalendarCheck, CircleCheck } from "lucide-react";
import type { ReactNode } from "react";
import {
  type Certificate,
  CertificateSchedule,
  CertificateService,
  type ListCertificatesRequestSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { CertificateBadge } from "../../status/certificate-status.tsx";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";

const columns: Column<Certificate>[] = [
  {
    key: "name",
    header: "Name",
    cell: ({ id, name }) => (
      <Link to="/certificates/$id" params={{ id }} className="block truncate hover:text-accent">
        {name}
      </Link>
    ),
  },
  { key: "status", header: "Status", cell: (certificate) => <CertificateBadge {...certificate} /> },
  {
    key: "renew",
    header: "Planned",
    cell: ({ renewAt, renewsWhenCaWants }) => (
      <>
        <Time at={renewAt} />
        {renewsWhenCaWants && <span className="text-fg2 text-sm"> by its CA</span>}
      </>
    ),
  },
  { key: "expires", header: "Expires", from: "lg", cell: ({ expiresAt }) => <Time at={expiresAt} /> },
];

/** Certificates whose renewal should have been. */
export function OverdueRenewals() {
  return (
    <CertificateList
      title="Overdue"
      request={{ schedule: [CertificateSchedule.OVERDUE, CertificateSchedule.AT_RISK], sort: "attention" }}
      search={{ schedule: "Overdue,AtRisk" }}
      empty={
        <EmptyState icon={CircleCheck} title="Nothing is overdue">
          Every planned renewal has been made.
        </EmptyState>
      }
    />
  );
}

/** Certificates that are renewed next. */
export function UpcomingRenewals() {
  return (
    <CertificateList
      title="Next"
      request={{ schedule: [CertificateSchedule.ON_PLAN, CertificateSchedule.DUE], sort: "renew_at" }}
      search={{ schedule: "OnPlan,Due", sort: "renew_at" }}
      empty={
        <EmptyState icon={CalendarCheck} title="Nothing is planned">
          Issue a certificate: its renewal is planned with it.
        </EmptyState>
      }
    />
  );
}

function CertificateList({
  title,
  request,
  search,
  empty,
}: {
  title: string;
  request: MessageInitShape<typeof ListCertificatesRequestSchema>;
  search: Readonly<Record<string, string>>;
  empty: ReactNode;
}) {
  const list = useQuery(CertificateService.method.listCertificates, { ...request, perPage: 8 });
  const total = list.data?.total ?? 0;
  if (list.error && !list.data)
    return <ErrorCard error={list.error} what="the certificates" onRetry={() => void list.refetch()} />;
  return (
    <Panel
      title={title}
      note={list.data && numberText(total)}
      isFlush
      actions={
        total > 8 && (
          <Link to="/certificates" search={search as never} className="text-accent hover:underline">
            All {numberText(total)}
          </Link>
        )
      }
    >
      <div className="px-2 pb-2">
        <DataTable
          label={title}
          rows={list.data?.data ?? []}
          columns={columns}
          keyOf={({ id }) => id}
          summary={(certificate) => (
            <>
              <CertificateBadge {...certificate} />
              <Time at={certificate.renewAt} />
            </>
          )}
          isLoading={list.isPending}
          empty={empty}
        />
      </div>
    </Panel>
  );
}
