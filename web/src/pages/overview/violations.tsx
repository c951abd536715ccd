import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { ShieldCheck } from "lucide-react";
import { PolicyService, type PolicyViolation } from "#gen/certctl/v1/policies_pb.ts";
import { SeverityState } from "../../status/severity-state.tsx";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";

const columns: Column<PolicyViolation>[] = [
  {
    key: "certificate",
    header: "Certificate",
    cell: ({ certificateId, certificateName }) => (
      <Link
        to="/certificates/$id"
        params={{ id: certificateId }}
        className="block truncate hover:text-accent"
      >
        {certificateName}
      </Link>
    ),
  },
  { key: "severity", header: "Severity", cell: ({ severity }) => <SeverityState severity={severity} /> },
  {
    key: "rule",
    header: "Rule",
    cell: ({ ruleId, ruleName }) => (
      <Link to="/policies/$id" params={{ id: ruleId }} className="block max-w-48 truncate hover:text-accent">
        {ruleName}
      </Link>
    ),
  },
  { key: "opened", header: "Since", from: "xl", cell: ({ openedAt }) => <Time at={openedAt} /> },
];

/** Certificates that are not as the rules have them, the worst first. */
export function Violations() {
  const list = useQuery(PolicyService.method.listPolicyViolations, {
    open: true,
    sort: "-severity",
    perPage: 6,
  });
  if (list.error && !list.data)
    return <ErrorCard error={list.error} what="the violations" onRetry={() => void list.refetch()} />;
  const total = list.data?.total ?? 0;
  return (
    <Panel
      title="Policy violations"
      note={list.data && numberText(total)}
      isFlush
      actions={
        <Link to="/policies" className="text-accent hover:underline">
          All rules
        </Link>
      }
    >
      <div className="px-2 pb-2">
        <DataTable
          label="Policy violations"
          rows={list.data?.data ?? []}
          columns={columns}
          keyOf={({ id }) => id}
          summary={({ severity, ruleName }) => (
            <>
              <SeverityState severity={severity} />
              {ruleName}
            </>
          )}
          isLoading={list.isPending}
          empty={<EmptyState icon={ShieldCheck} title="Every certificate is as the rules have it" />}
        />
      </div>
    </Panel>
  );
}
