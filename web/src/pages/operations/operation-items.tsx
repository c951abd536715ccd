import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  type Operation,
  type OperationItem,
  OperationItemStatusSchema,
  OperationService,
} from "#gen/certctl/v1/operations_pb.ts";
import { enumWords } from "../../../../src/rest/json.ts";
import { OperationItemState } from "../../status/operation-status.tsx";
import { sentence, valuesOfWords } from "../../status/words.ts";
import type { Column } from "../../ui/data-table.tsx";
import { FacetMenu } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Panel } from "../../ui/panel.tsx";
import { count, list as words } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";

const perPage = 50;
const parameters = { status: words, page: count(1) };
const statuses = enumWords(OperationItemStatusSchema).map((value) => ({ value, label: sentence(value) }));

const columns: Column<OperationItem>[] = [
  {
    key: "certificate",
    header: "Certificate",
    cell: ({ certificateId: id, certificateName, message }) => (
      <div className="min-w-0">
        <Link to="/certificates/$id" params={{ id }} className="block truncate hover:text-accent">
          {certificateName}
        </Link>
        {message && <span className="block break-words font-normal text-fg2 text-sm">{message}</span>}
      </div>
    ),
  },
  { key: "status", header: "Result", cell: ({ status }) => <OperationItemState status={status} /> },
  {
    key: "jobs",
    header: "Jobs",
    cell: ({ jobIds }) =>
      jobIds.length === 0 ? (
        "–"
      ) : (
        <span className="flex flex-wrap gap-x-2">
          {jobIds.slice(0, 3).map((id) => (
            <Link key={id} to="/jobs/$id" params={{ id }} className="font-mono text-sm hover:text-accent">
              {id}
            </Link>
          ))}
          {jobIds.length > 3 && <span className="text-fg2">+{jobIds.length - 3}</span>}
        </span>
      ),
  },
];

/** What became of each certificate of an operation. */
export function OperationItems({ operation: { id } }: { operation: Operation }) {
  const [values, set] = useParameters(parameters);
  const list = useQuery(
    OperationService.method.listOperationItems,
    { id, status: valuesOfWords(OperationItemStatusSchema, values.status), page: values.page, perPage },
    { placeholderData: keepPreviousData },
  );
  return (
    <Panel
      title="Results"
      isFlush
      actions={
        <FacetMenu
          label="Result"
          values={statuses}
          chosen={values.status}
          onChange={(status) => set({ status, page: 1 })}
        />
      }
    >
      <div className="px-2 pb-2">
        <ListBody
          label="Results"
          what="the results"
          list={list}
          columns={columns}
          keyOf={({ certificateId }) => certificateId}
          summary={({ status }) => <OperationItemState status={status} />}
          page={JSON.stringify(values)}
          pages={{ at: values.page, per: perPage, onChange: (page) => set({ page }) }}
          empty={<p className="px-2 pb-2 text-fg2">No certificate has this result.</p>}
        />
      </div>
    </Panel>
  );
}
