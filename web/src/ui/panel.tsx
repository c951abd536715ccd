import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useId } from "react";
import { demoTitle } from "../demo/mode.ts";
import { cx } from "./class-names.ts";
import { numberText } from "./time-text.ts";

/** The head of a page: what it is, how many, what can be done. Names the window's tab, too. */
export function PageHeader({
  title,
  count,
  parent,
  badge,
  children,
  documentTitle,
}: {
  title: ReactNode;
  count?: number | undefined;
  parent?: { to: string; label: string };
  badge?: ReactNode;
  children?: ReactNode;
  documentTitle?: string;
}) {
  const name = documentTitle ?? (typeof title === "string" ? title : "");
  useEffect(() => {
    if (name) document.title = demoTitle(`${name} · certctl`);
  }, [name]);
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <div className="min-w-0 flex-1 basis-64">
        {parent && (
          <nav aria-label="Breadcrumb" className="text-fg2 text-sm">
            <Link to={parent.to} className="hover:text-fg0">
              {parent.label}
            </Link>
            <span aria-hidden> /</span>
          </nav>
        )}
        <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          <h1 className="min-w-0 break-words font-semibold text-lg">{title}</h1>
          {count !== undefined && <span className="text-fg2">{numberText(count)}</span>}
          {badge}
        </div>
      </div>
      {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
    </header>
  );
}

/** A page's body. Reading pages end where lines get too long; tables take what there is. */
export function Page({ children, isWide = false }: { children: ReactNode; isWide?: boolean }) {
  return (
    <div className={cx("flex w-full flex-col gap-4 px-4 py-4 sm:px-5", !isWide && "max-w-[1240px]")}>
      {children}
    </div>
  );
}

export function Panel({
  title,
  note,
  actions,
  children,
  isFlush = false,
}: {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  isFlush?: boolean;
}) {
  const id = useId();
  return (
    <section
      aria-labelledby={title ? id : undefined}
      className="min-w-0 rounded-panel border border-line1 bg-bg1"
    >
      {title && (
        <header className="flex min-h-10 flex-wrap items-center gap-x-2 gap-y-1 px-4 pt-2.5 pb-1.5">
          <h2 id={id} className="font-medium">
            {title}
          </h2>
          {note && <span className="text-fg2">{note}</span>}
          {actions && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
        </header>
      )}
      <div className={cx(!isFlush && (title ? "px-4 pb-4" : "p-4"))}>{children}</div>
    </section>
  );
}

/** Facts of an object, a name and a value a line. */
export function Facts({
  facts,
}: {
  facts: readonly (readonly [name: string, value: ReactNode] | false | undefined)[];
}) {
  return (
    <dl className="grid grid-cols-[minmax(96px,auto)_1fr] gap-x-4 gap-y-1.5">
      {facts.map(
        (fact) =>
          fact && (
            <div key={fact[0]} className="contents">
              <dt className="text-fg2">{fact[0]}</dt>
              <dd className="min-w-0 break-words">{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
