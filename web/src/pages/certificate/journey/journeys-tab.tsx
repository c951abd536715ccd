import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { JourneyService } from "#gen/certctl/v1/journeys_pb.ts";
import { Badge } from "../../../ui/badge.tsx";
import { DataTable } from "../../../ui/data-table.tsx";
import { Pager } from "../../../ui/pager.tsx";
import { Panel } from "../../../ui/panel.tsx";
import { Time } from "../../../ui/time.tsx";
import { count, text } from "../../../url/search.ts";
import { useParameters } from "../../../url/use-parameters.ts";
import { JourneyPanel } from "./journey-panel.tsx";
import { lookOf } from "./looks.ts";

const parameters = { renewal: text(), page: count(1) };
const perPage = 20;

/** The journey that is chosen, or the newest, and all that were. */
export function JourneysTab({ id }: { id: string }) {
  const [{ renewal, page }, set] = useParameters(parameters);
  const list = useQuery(JourneyService.method.listCertificateJourneys, { id, page, perPage });
  return (
    <div className="flex flex-col gap-4">
      <JourneyPanel id={id} renewalId={renewal} />
      {list.data && list.data.total > 0 && (
        <Panel title="All journeys" note={String(list.data.total)} isFlush>
          <div className="px-2 pb-2">
            <DataTable
              label="Journeys"
              rows={list.data.data}
              keyOf={({ renewalId }) => renewalId}
              columns={[
                {
                  key: "at",
                  header: "Started",
                  cell: ({ renewalId, startedAt }) => (
                    <Link to="." search={{ renewal: renewalId } as never} className="hover:text-accent">
                      <Time at={startedAt} isExact />
                    </Link>
                  ),
                },
                {
                  key: "state",
                  header: "State",
                  cell: ({ state }) => (
                    <Badge tone={lookOf(state).tone} icon={lookOf(state).icon}>
                      {lookOf(state).word}
                    </Badge>
                  ),
                },
                {
                  key: "issued",
                  header: "Issued",
                  from: "md",
                  cell: ({ issued, keys }) => `${issued} of ${keys}`,
                },
                { key: "proven", header: "Proven", cell: ({ proven, targets }) => `${proven} of ${targets}` },
                {
                  key: "error",
                  header: "First error",
                  from: "lg",
                  cell: ({ error }) => (
                    <span className="block max-w-96 truncate" title={error}>
                      {error || "–"}
                    </span>
                  ),
                },
              ]}
            />
            <Pager
              page={page}
              perPage={perPage}
              total={list.data.total}
              onPage={(next) => set({ page: next })}
            />
          </div>
        </Panel>
      )}
    </div>
  );
}
