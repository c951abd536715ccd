import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type IssuerOrder, IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Pager } from "../../ui/pager.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

const perPage = 20;
const columns: Column<IssuerOrder>[] = [
  {
    key: "certificate",
    header: "Certificate",
    cell: ({ jobId: id, certificateName }) => (
      <Link to="/jobs/$id" params={{ id }} className="block truncate hover:text-accent">
        {certificateName}
      </Link>
    ),
  },
  {
    key: "reference",
    header: "Order",
    cell: ({ reference }) => <span className="font-mono text-sm">{reference}</span>,
  },
  { key: "message", header: "Waits for", from: "sm", cell: ({ message }) => message },
  { key: "created", header: "Ordered", from: "md", cell: ({ createdAt }) => <Time at={createdAt} /> },
  { key: "poll", header: "Asked again", from: "md", cell: ({ pollAt }) => <Time at={pollAt} /> },
];

/** What the CA took and signs later: somebody there may have to approve it. */
export function WaitingOrders({ issuerId: id }: { issuerId: string }) {
  const [page, setPage] = useState(1);
  const list = useQuery(
    IssuerService.method.listIssuerOrders,
    { id, page, perPage },
    { placeholderData: keepPreviousData },
  );
  const total = list.data?.total ?? 0;
  if (list.error && !list.data)
    return <ErrorCard error={list.error} what="its orders" onRetry={() => void list.refetch()} />;
  if (total === 0) return null;
  return (
    <Panel title="Orders that wait" note="the CA took them and signs later" isFlush>
      <DataTable
        label="Orders that wait"
        rows={list.data?.data ?? []}
        columns={columns}
        keyOf={(order) => order.id}
        summary={({ reference, message }) => `${reference}: ${message}`}
        page={String(page)}
        isStale={list.isPlaceholderData}
      />
      {total > perPage && <Pager page={page} perPage={perPage} total={total} onPage={setPage} />}
    </Panel>
  );
}
