import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { SearchX } from "lucide-react";
import { buttonClass } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorCard } from "../ui/error-card.tsx";
import { Page, PageHeader } from "../ui/panel.tsx";

/** A page that broke: the rest of the dashboard still works. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  return (
    <Page>
      <PageHeader title="This page broke" />
      <ErrorCard error={error} what="this page" onRetry={reset} />
    </Page>
  );
}

export function NotFound() {
  return (
    <Page>
      <PageHeader title="No such page" />
      <EmptyState
        icon={SearchX}
        title="Nothing lies at this address"
        actions={
          <Link to="/" className={buttonClass()}>
            Go to the overview
          </Link>
        }
      />
    </Page>
  );
}
