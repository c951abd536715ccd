import { Code } from "@connectrpc/connect";
import type { ReactNode } from "react";
import { isCode } from "../api/errors.ts";
import { Skeleton } from "./empty-state.tsx";
import { ErrorCard } from "./error-card.tsx";
import { Page, PageHeader } from "./panel.tsx";

/** The page of one object: what it shows once the object is there, and until then that it is fetched, missing or refused. */
export function ObjectPage<Value>({
  id,
  what,
  parent,
  value,
  query,
  children,
}: {
  id: string;
  /** "agent". */
  what: string;
  parent: { to: string; label: string };
  value: Value | undefined;
  query: { error: unknown; refetch(): unknown };
  children(value: Value): ReactNode;
}) {
  if (value !== undefined) return <Page>{children(value)}</Page>;
  const isMissing = isCode(query.error, Code.NotFound);
  return (
    <Page>
      <PageHeader title={id} parent={parent} />
      {query.error ? (
        <ErrorCard
          error={query.error}
          what={isMissing ? `${id}: there is no such ${what}` : `the ${what}`}
          onRetry={() => void query.refetch()}
        />
      ) : (
        <Skeleton lines={6} />
      )}
    </Page>
  );
}
