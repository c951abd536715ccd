import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { cx } from "./class-names.ts";
import { useRowShortcuts } from "./row-shortcuts.ts";
import type { Selection } from "./selection.ts";
import { useSteadyRows } from "./steady-rows.ts";
import { countText } from "./time-text.ts";

export interface Column<Row> {
  key: string;
  header: string;
  cell(row: Row): ReactNode;
  /** The name that the API sorts by. */
  sort?: string;
  isRight?: boolean;
  /** The narrowest window that shows it; the first column is always shown. */
  from?: "sm" | "md" | "lg" | "xl";
  /** For the column chooser. */
  isHidden?: boolean;
}

export interface DataTableProps<Row> {
  /** What the table lists: its accessible name. */
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  keyOf(row: Row): string;
  /** What a phone shows below the first column instead of the others. */
  summary?(row: Row): ReactNode;
  sort?: string;
  onSort?(sort: string): void;
  selection?: Selection;
  /** Filter, sort and page as one text: another list is shown at once. */
  page?: string;
  isLoading?: boolean;
  /** Older rows stand in for those that are being fetched. */
  isStale?: boolean;
  empty?: ReactNode;
}

const from: Readonly<Record<NonNullable<Column<never>["from"]>, string>> = {
  sm: "hidden sm:table-cell",
  md: "hidden md:table-cell",
  lg: "hidden lg:table-cell",
  xl: "hidden xl:table-cell",
};

/** Rows of the server's making: it filters, sorts and pages. The first column holds the row's link. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, keyOf, summary, selection, isLoading, isStale, empty } = props;
  const columns = props.columns.filter(({ isHidden }) => !isHidden);
  const body = useRef<HTMLTableSectionElement>(null);
  const [isPointedAt, setPointedAt] = useState(false);
  // A dialog that opens over the pointer swallows its leaving.
  const isHeld = (isPointedAt && body.current?.matches(":hover") === true) || (selection?.keys.size ?? 0) > 0;
  // What stood in while the list was fetched is none of its rows.
  const page = `${props.page ?? ""}${isStale ? " before" : ""}`;
  const steady = useSteadyRows({ rows: props.rows, keyOf, page, isHeld });
  const keys = useMemo(() => steady.rows.map(keyOf), [steady.rows, keyOf]);
  useRowShortcuts(body, keys, selection);
  if (!isLoading && steady.rows.length === 0 && empty) return <>{empty}</>;
  return (
    <div className="relative min-w-0">
      {steady.waiting > 0 && (
        <button
          type="button"
          onClick={steady.show}
          // Over the table's head: a line of its own would move the rows from under the pointer.
          className="tone-due -translate-x-1/2 absolute top-1 left-1/2 z-10 h-6 whitespace-nowrap rounded-control border border-line2 bg-bg2 px-3 text-fg0 shadow-overlay"
        >
          {countText(steady.waiting, "change")} waiting: show
        </button>
      )}
      <table
        aria-label={label}
        aria-busy={isLoading || isStale}
        className={cx("w-full border-collapse", isStale && "opacity-60")}
      >
        <thead>
          <tr className="border-line1 border-b text-left">
            {selection && (
              <th className="w-8 pl-1">
                <input
                  type="checkbox"
                  aria-label="Choose every row of this page"
                  className="block size-4"
                  checked={keys.length > 0 && keys.every((key) => selection.keys.has(key))}
                  onChange={(event) => selection.setAll(keys, event.target.checked)}
                />
              </th>
            )}
            {columns.map((column, index) => (
              <Head
                key={column.key}
                column={column}
                isFirst={index === 0}
                sort={props.sort}
                onSort={props.onSort}
              />
            ))}
          </tr>
        </thead>
        <tbody
          ref={body}
          onPointerEnter={() => setPointedAt(true)}
          onPointerLeave={() => setPointedAt(false)}
        >
          {isLoading ? (
            <SkeletonRows columns={columns.length + (selection ? 1 : 0)} />
          ) : (
            steady.rows.map((row) => (
              <tr
                key={keyOf(row)}
                data-row={keyOf(row)}
                className="group/row border-line1 border-b hover:bg-bg2 has-[:checked]:bg-bg2"
              >
                {selection && (
                  <td className="pl-1">
                    <input
                      type="checkbox"
                      aria-label={`Choose ${keyOf(row)}`}
                      className="block size-4"
                      checked={selection.keys.has(keyOf(row))}
                      onChange={(event) => selection.set(keyOf(row), event.target.checked)}
                    />
                  </td>
                )}
                {columns.map((column, index) => (
                  <td
                    key={column.key}
                    className={cx(
                      "h-(--row-height) px-2 py-1 align-middle",
                      index === 0
                        ? "max-w-0 sm:max-w-80"
                        : cx("whitespace-nowrap text-fg1", from[column.from ?? "sm"]),
                      index === 0 && "w-full font-medium sm:w-auto",
                      column.isRight && "text-right",
                    )}
                  >
                    {column.cell(row)}
                    {index === 0 && summary && (
                      <div className="mt-0.5 flex flex-wrap items-center gap-x-3 gap-y-1 font-normal text-fg1 sm:hidden">
                        {summary(row)}
                      </div>
                    )}
                  </td>
                ))}
              </tr>
            ))
          )}
        </tbody>
      </table>
    </div>
  );
}

function Head<Row>({
  column,
  isFirst,
  sort,
  onSort,
}: {
  column: Column<Row>;
  isFirst: boolean;
  sort: string | undefined;
  onSort: ((sort: string) => void) | undefined;
}) {
  const { sort: name } = column;
  const direction = sort === name ? "ascending" : sort === `-${name}` ? "descending" : undefined;
  const Arrow = direction === "descending" ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={name ? (direction ?? "none") : undefined}
      className={cx(
        "h-8 whitespace-nowrap px-2 font-medium text-fg2 text-sm",
        !isFirst && from[column.from ?? "sm"],
        column.isRight && "text-right",
      )}
    >
      {name && onSort ? (
        <button
          type="button"
          className="inline-flex items-center gap-1 rounded-control hover:text-fg0"
          onClick={() => onSort(direction === "ascending" ? `-${name}` : name)}
        >
          {column.header}
          <Arrow aria-hidden size={12} className={direction ? "" : "invisible"} />
        </button>
      ) : (
        column.header || <span className="sr-only">Actions</span>
      )}
    </th>
  );
}

const skeletonRows = Array.from({ length: 12 }, (_, index) => index);

function SkeletonRows({ columns }: { columns: number }) {
  return skeletonRows.map((row) => (
    <tr key={row} className="border-line1 border-b">
      {skeletonRows.slice(0, columns).map((column) => (
        <td key={column} className={cx("h-(--row-height) px-2", column > 1 && "hidden sm:table-cell")}>
          <div className="skeleton h-3" style={{ width: column === 0 ? "70%" : "55%" }} />
        </td>
      ))}
    </tr>
  ));
}
