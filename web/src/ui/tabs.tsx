import { Link } from "@tanstack/react-router";
import { cx } from "./class-names.ts";

export interface Tab {
  /** A path: a tab can be linked to. */
  to: string;
  label: string;
  count?: number | undefined;
}

/** Tabs that are links. The one whose path the page has is the current one. */
export function Tabs({
  tabs,
  label,
  search,
}: {
  tabs: readonly Tab[];
  label: string;
  search?: Readonly<Record<string, string>>;
}) {
  return (
    <nav aria-label={label} className="-mx-1 overflow-x-auto border-line1 border-b">
      <ul className="flex gap-1 px-1">
        {tabs.map(({ to, label, count }) => (
          <li key={to}>
            <Link
              to={to}
              search={(search ?? {}) as never}
              activeOptions={{ exact: true, includeSearch: search !== undefined }}
              className="group -mb-px block whitespace-nowrap border-transparent border-b-2 px-2.5 py-2 text-fg1 hover:text-fg0 aria-[current=page]:border-accent aria-[current=page]:text-fg0"
            >
              {label}
              {count !== undefined && <span className={cx("ml-1.5 text-fg2 text-sm")}>{count}</span>}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
