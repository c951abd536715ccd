import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Workflow } from "lucide-react";
import {
  type Operation,
  OperationKindSchema,
  OperationService,
  OperationStatusSchema,
} from "#gen/certctl/v1/operations_pb.ts";
import { enumWords } from "../../../../src/rest/json.ts";
import { OperationBadge, operationText } from "../../status/operation-status.tsx";
import { sentence, valuesOfWords } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { FacetMenu, FilterBar } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";
import { count, list as words } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";

const perPage = 50;
const parameters = { status: words, kind: words, page: count(1) };
const optionsOf = (values: readonly string[]) => values.map((value) => ({ value, label: sentence(value) }));

const columns: Column<Operation>[] = [
  {
    key: "kind",
    header: "Operation",
    cell: ({ id, kind, reason }) => (
      <div className="min-w-0">
        <Link to="/operations/$id" params={{ id }} className="block truncate hover:text-accent">
          {operationText(kind)}
        </Link>
        {reason && (
          <span className="block truncate font-normal text-fg2 text-sm" title={reason}>
            {reason}
          </span>
        )}
      </div>
    ),
  },
  { key: "status", header: "State", cell: ({ status }) => <OperationBadge status={status} /> },
  {
    key: "progress",
    header: "Done",
    isRight: true,
    cell: ({ total, done, skipped, failed }) =>
      `${numberText(done + skipped + failed)} of ${numberText(total)}`,
  },
  {
    key: "failed",
    header: "Failed",
    isRight: true,
    cell: ({ failed }) =>
      failed > 0 ? (
        <span className="tone-bad tone-text">{numberText(failed)}</span>
      ) : (
        <span className="text-fg2">0</span>
      ),
  },
  { key: "by", header: "By", from: "md", cell: ({ createdBy }) => createdBy },
  { key: "created", header: "Created", from: "md", cell: ({ createdAt }) => <Time at={createdAt} /> },
];

/** Work on many certificates at once. */
export function OperationsPage() {
  const [values, set] = useParameters(parameters);
  const list = useQuery(
    OperationService.method.listOperations,
    {
      status: valuesOfWords(OperationStatusSchema, values.status),
      kind: valuesOfWords(OperationKindSchema, values.kind),
      page: values.page,
      perPage,
    },
    { placeholderData: keepPreviousData },
  );
  const isFiltered = values.status.length + values.kind.length > 0;
  return (
    <Page isWide>
      <PageHeader title="Operations" count={list.data?.total} />
      <FilterBar>
        <FacetMenu
          label="State"
          values={optionsOf(enumWords(OperationStatusSchema))}
          chosen={values.status}
          onChange={(status) => set({ status, page: 1 })}
        />
        <FacetMenu
          label="Kind"
          values={optionsOf(enumWords(OperationKindSchema))}
          chosen={values.kind}
          onChange={(kind) => set({ kind, page: 1 })}
        />
        {isFiltered && (
          <Button kind="quiet" onClick={() => set({ status: [], kind: [], page: 1 })}>
            Clear
          </Button>
        )}
      </FilterBar>
      <ListBody
        label="Operations"
        what="the operations"
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        summary={({ status, total }) => (
          <>
            <OperationBadge status={status} />
            <span>{numberText(total)} certificates</span>
          </>
        )}
        page={JSON.stringify(values)}
        pages={{ at: values.page, per: perPage, onChange: (page) => set({ page }) }}
        empty={
          <EmptyState
            icon={Workflow}
            title={isFiltered ? "No operation matches these filters" : "No operations yet"}
          >
            {!isFiltered && "Choose certificates in their list and renew, reassign or archive them together."}
          </EmptyState>
        }
      />
    </Page>
  );
}
