import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed, TriangleAlert } from "lucide-react";
import { type Certificate, CertificateStatus } from "#gen/certctl/v1/certificates_pb.ts";
import { LifetimeStrip } from "../../charts/lifetime-strip.tsx";
import {
  CertificateBadge,
  certificateLooks,
  scheduleLooks,
  unknownLook,
} from "../../status/certificate-status.tsx";
import { State } from "../../ui/badge.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { Time } from "../../ui/time.tsx";

/** The columns that can be hidden, in their order. */
export const optionalColumns = [
  "deployed",
  "issuer",
  "owner",
  "team",
  "environment",
  "renews",
  "serial",
] as const;

export function certificateColumns(hidden: readonly string[]): Column<Certificate>[] {
  const columns: Column<Certificate>[] = [
    { key: "name", header: "Name", sort: "name", cell: (certificate) => <Name certificate={certificate} /> },
    {
      key: "status",
      header: "Status",
      sort: "status",
      cell: ({ status, schedule }) => <CertificateBadge status={status} schedule={schedule} />,
    },
    {
      key: "expires",
      header: "Expires",
      sort: "expires_at",
      cell: (certificate) => <Expires certificate={certificate} />,
    },
    {
      key: "renews",
      header: "Renews",
      sort: "renew_at",
      from: "xl",
      cell: ({ renewAt }) => <Time at={renewAt} none="–" />,
    },
    {
      key: "deployed",
      header: "Deployed",
      from: "md",
      cell: (certificate) => <Deployed certificate={certificate} />,
    },
    { key: "issuer", header: "Issuer", from: "lg", cell: ({ issuerName }) => issuerName },
    {
      key: "owner",
      header: "Owner",
      from: "lg",
      cell: ({ ownerName }) => ownerName || "–",
    },
    { key: "team", header: "Team", from: "xl", cell: ({ teamName }) => teamName || "–" },
    { key: "environment", header: "Environment", from: "md", cell: ({ environment }) => environment || "–" },
    {
      key: "serial",
      header: "Serial",
      from: "xl",
      cell: ({ serialNumber }) => <span className="font-mono text-sm">{serialNumber.slice(0, 12)}</span>,
    },
  ];
  return columns.map((column) => ({ ...column, isHidden: hidden.includes(column.key) }));
}

function Deployed({ certificate }: { certificate: Certificate }) {
  const { deploymentsTotal: total, deploymentsProven: proven, deploymentsDrifted: drifted } = certificate;
  if (total === 0) return <span className="text-fg2">no targets</span>;
  const tone = drifted > 0 ? "warn" : proven === total ? "ok" : "muted";
  const Icon = drifted > 0 ? TriangleAlert : proven === total ? CircleCheck : CircleDashed;
  return (
    <State tone={tone} icon={Icon}>
      {drifted > 0 ? `${drifted} of ${total} serve another` : `${proven}/${total} proven`}
    </State>
  );
}

function Name({ certificate: { id, name, commonName } }: { certificate: Certificate }) {
  return (
    <div className="min-w-0">
      <Link
        to="/certificates/$id"
        params={{ id }}
        title={commonName}
        className="block truncate hover:text-accent"
      >
        {name}
      </Link>
      {commonName !== name && (
        <span className="block truncate font-normal text-fg2 text-sm">{commonName}</span>
      )}
    </div>
  );
}

export function Expires({ certificate }: { certificate: Certificate }) {
  const { expiresAt, renewAt, validitySeconds, status, schedule } = certificate;
  if (!expiresAt) return <span className="text-fg2">–</span>;
  const end = timestampDate(expiresAt);
  const look = status === CertificateStatus.EXPIRED ? certificateLooks[status] : scheduleLooks[schedule];
  return (
    <span className="inline-flex items-center gap-2">
      <LifetimeStrip
        start={new Date(end.getTime() - validitySeconds * 1_000)}
        end={end}
        renewal={renewAt && timestampDate(renewAt)}
        tone={(look ?? unknownLook).tone}
      />
      <Time at={end} />
    </span>
  );
}
