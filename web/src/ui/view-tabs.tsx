import { Link } from "@tanstack/react-router";

export interface ViewTab {
  value: string;
  label: string;
  count?: number | undefined;
}

/** Views of one page, told apart by a parameter of its URL; the first one is the page without it. */
export function ViewTabs({
  label,
  parameter,
  current,
  tabs,
}: {
  label: string;
  parameter: string;
  current: string;
  tabs: readonly ViewTab[];
}) {
  return (
    <nav aria-label={label} className="-mx-1 overflow-x-auto border-line1 border-b">
      <ul className="flex gap-1 px-1">
        {tabs.map(({ value, label: text, count }, index) => (
          <li key={value}>
            <Link
              to="."
              search={(index === 0 ? {} : { [parameter]: value }) as never}
              // The router knows paths; which view is shown, the page knows.
              activeOptions={{ includeSearch: true, exact: true }}
              aria-current={value === current ? "page" : undefined}
              className="-mb-px block whitespace-nowrap border-transparent border-b-2 px-2.5 py-2 text-fg1 hover:text-fg0 aria-[current=page]:border-accent aria-[current=page]:text-fg0"
            >
              {text}
              {count !== undefined && <span className="ml-1.5 text-fg2 text-sm">{count}</span>}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
