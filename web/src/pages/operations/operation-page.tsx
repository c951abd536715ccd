import { useQuery } from "@connectrpc/connect-query";
import { Link, useParams } from "@tanstack/react-router";
import { RevocationReasonSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { type Operation, OperationService } from "#gen/certctl/v1/operations_pb.ts";
import { OperationBadge, operationText } from "../../status/operation-status.tsx";
import { readable } from "../../status/words.ts";
import { CopyText } from "../../ui/copy.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Progress } from "../../ui/progress.tsx";
import { Time } from "../../ui/time.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { OperationActions } from "./operation-actions.tsx";
import { OperationItems } from "./operation-items.tsx";

const parent = { to: "/operations", label: "Operations" };

/** One operation: how far it is, what became of each certificate, and the say over it. */
export function OperationPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(OperationService.method.getOperation, { id });
  return (
    <ObjectPage id={id} what="operation" parent={parent} value={read.data?.operation} query={read}>
      {(operation) => (
        <>
          <PageHeader
            title={`${operationText(operation.kind)}: ${countText(operation.total, "certificate")}`}
            parent={parent}
            badge={<OperationBadge status={operation.status} />}
          >
            <OperationActions operation={operation} />
          </PageHeader>
          {operation.reason && <p className="max-w-[90ch] break-words text-fg1">{operation.reason}</p>}
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <div className="flex min-w-0 flex-col gap-4">
              <ProgressPanel operation={operation} />
              <OperationItems operation={operation} />
            </div>
            <OperationFacts operation={operation} />
          </div>
        </>
      )}
    </ObjectPage>
  );
}

function ProgressPanel({ operation: { total, done, skipped, failed } }: { operation: Operation }) {
  return (
    <Panel title="Progress">
      <Progress done={done + skipped + failed} total={total} label="Certificates that are done with" />
      <p className="mt-2 flex flex-wrap gap-x-4 text-fg1">
        <span>{numberText(done)} done</span>
        <span>{numberText(skipped)} skipped</span>
        <span className={failed > 0 ? "tone-bad tone-text" : undefined}>{numberText(failed)} failed</span>
        <span>{numberText(total - done - skipped - failed)} to come</span>
      </p>
    </Panel>
  );
}

function OperationFacts({ operation }: { operation: Operation }) {
  const filter = filterText(operation);
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ["Kind", operationText(operation.kind)],
          filter !== "" && [
            "Chosen by",
            <span key="filter" className="break-words font-mono text-sm">
              {filter}
            </span>,
          ],
          operation.revocation && [
            "Reason",
            `${readable(RevocationReasonSchema, operation.revocation.reason)}${operation.revocation.force ? ", also what is in use" : ""}`,
          ],
          ["By", <Actor key="by" id={operation.createdBy} />],
          ["Created", <Time key="created" at={operation.createdAt} isExact />],
          operation.approvedBy !== "" && [
            "Approved",
            <>
              by {operation.approvedBy}, <Time key="approved" at={operation.approvedAt} />
            </>,
          ],
          operation.finishedAt && ["Ended", <Time key="ended" at={operation.finishedAt} isExact />],
          ["Id", <CopyText key="id" text={operation.id} />],
        ]}
      />
    </Panel>
  );
}

function Actor({ id }: { id: string }) {
  if (!id.startsWith("ak-")) return id;
  return (
    <Link to="/audit" search={{ actor: id } as never} className="hover:text-accent">
      {id}
    </Link>
  );
}

/** What of the filter says something, as "name: value". */
function filterText({ filter }: Operation): string {
  return Object.entries(filter ?? {})
    .filter(
      ([name, value]) =>
        !name.startsWith("$") && Boolean(value) && !(Array.isArray(value) && value.length === 0),
    )
    .map(
      ([name, value]) =>
        `${name}: ${Array.isArray(value) ? `${value.length} chosen` : typeof value === "object" ? "set" : value}`,
    )
    .join(", ");
}
