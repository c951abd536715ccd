import { DataTable, type DataTableProps } from "./data-table.tsx";
import { ErrorCard } from "./error-card.tsx";
import { Pager } from "./pager.tsx";

/** A page of a list as a query answers it. */
interface ListQuery<Row> {
  data: { data: readonly Row[]; total?: number } | undefined;
  error: unknown;
  isPending: boolean;
  isPlaceholderData: boolean;
  refetch(): unknown;
}

interface ListBodyProps<Row> extends Omit<DataTableProps<Row>, "rows" | "isLoading" | "isStale"> {
  list: ListQuery<Row>;
  /** "the agents". */
  what: string;
  pages?: { at: number; per: number; onChange(page: number): void };
}

/** A list below its filters: the table with its pages, or why there is none. */
export function ListBody<Row>({ list, what, pages, ...table }: ListBodyProps<Row>) {
  if (list.error && !list.data)
    return <ErrorCard error={list.error} what={what} onRetry={() => void list.refetch()} />;
  const total = list.data?.total ?? 0;
  return (
    <>
      <DataTable
        {...table}
        rows={list.data?.data ?? []}
        isLoading={list.isPending}
        isStale={list.isPlaceholderData}
      />
      {pages && total > pages.per && (
        <Pager page={pages.at} perPage={pages.per} total={total} onPage={pages.onChange} />
      )}
    </>
  );
}
