import { useQuery } from "@connectrpc/connect-query";
import { useParams } from "@tanstack/react-router";
import { AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Page, PageHeader, Panel } from "../../ui/panel.tsx";
import { useKeyNames } from "./actor.tsx";
import { EventDetails } from "./details.tsx";
import { actionText } from "./words.ts";

/** One event, under an address that stays. */
export function EventPage() {
  const { id = "" } = useParams({ strict: false });
  const names = useKeyNames();
  const { data, error, refetch } = useQuery(AuditService.method.getAuditEvent, { id });
  const event = data?.event;
  return (
    <Page>
      <PageHeader
        title={event ? actionText(event.action) : "Audit event"}
        parent={{ to: "/audit", label: "Audit" }}
      />
      {error && <ErrorCard error={error} what="this event" onRetry={() => void refetch()} />}
      {!event && !error && <Skeleton lines={6} />}
      {event && (
        <Panel>
          <EventDetails event={event} names={names} />
        </Panel>
      )}
    </Page>
  );
}
