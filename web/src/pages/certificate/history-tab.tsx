import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import { AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { sentence } from "../../status/words.ts";
import { buttonClass } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

/** What was done to it, and by whom. */
export function HistoryTab({ id }: { id: string }) {
  const events = useQuery(AuditService.method.listAuditEvents, { resourceId: id, perPage: 100 });
  if (events.error)
    return <ErrorCard error={events.error} what="the history" onRetry={() => void events.refetch()} />;
  return (
    <Panel
      title="History"
      isFlush
      actions={
        <Link to="/audit" search={{ object: id } as never} className={buttonClass("default", true)}>
          Open in the audit
        </Link>
      }
    >
      <div className="px-2 pb-2">
        <DataTable
          label="Events"
          rows={events.data?.data ?? []}
          keyOf={(event) => event.id}
          isLoading={events.isPending}
          summary={({ timestamp }) => <Time at={timestamp} isExact />}
          empty={<EmptyState icon={ScrollText} title="Nothing is recorded yet" />}
          columns={[
            {
              key: "action",
              header: "What",
              cell: (event) => (
                <Link to="/audit/$id" params={{ id: event.id }} className="hover:text-accent">
                  {capital(sentence(event.action))}
                </Link>
              ),
            },
            {
              key: "actor",
              header: "By",
              cell: ({ actor }) => <span className="font-mono text-sm">{actor}</span>,
            },
            { key: "at", header: "When", cell: ({ timestamp }) => <Time at={timestamp} isExact /> },
          ]}
        />
      </div>
    </Panel>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
