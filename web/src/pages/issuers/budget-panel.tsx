import { useQuery } from "@connectrpc/connect-query";
import { type BudgetUse, IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";

const columns: Column<BudgetUse>[] = [
  {
    key: "limit",
    header: "Limit",
    cell: (use) => <span className="block truncate">{limitText(use)}</span>,
  },
  { key: "used", header: "Used", cell: (use) => usedText(use) },
  {
    key: "free",
    header: "Room again",
    from: "sm",
    cell: ({ freeAt }) => (freeAt ? <Time at={freeAt} /> : "there is"),
  },
];

/** How much of the CA's rate limits is used: over them nothing is ordered. */
export function BudgetPanel({ issuerId: id }: { issuerId: string }) {
  const budget = useQuery(IssuerService.method.getIssuerBudget, { id });
  if (budget.error && !budget.data)
    return <ErrorCard error={budget.error} what="its budget" onRetry={() => void budget.refetch()} />;
  return (
    <Panel title="Budget" note="what is used of the CA's rate limits" isFlush>
      <DataTable
        label="Budget"
        rows={budget.data?.data ?? []}
        columns={columns}
        keyOf={({ kind, subject }) => `${kind} ${subject}`}
        summary={(use) => `${limitText(use)}: ${usedText(use)}`}
      />
    </Panel>
  );
}

function limitText({ kind, subject }: BudgetUse): string {
  if (kind === "orders") return "Orders in 3 hours";
  return kind === "domain"
    ? `Certificates for ${subject} in 7 days`
    : `Certificates for exactly ${subject} in 7 days`;
}

function usedText({ used, limit }: BudgetUse): string {
  return limit === 0 ? `${numberText(used)}, no bound` : `${numberText(used)} of ${numberText(limit)}`;
}
