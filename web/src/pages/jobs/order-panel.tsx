import { useQuery } from "@connectrpc/connect-query";
import { CircleCheck, CircleX, Hourglass } from "lucide-react";
import {
  type CaProblem,
  IssuerService,
  type OrderAuthorization,
  type OrderChallenge,
  type PlacedOrder,
} from "#gen/certctl/v1/issuers_pb.ts";
import { type Job, JobType } from "#gen/certctl/v1/jobs_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Badge, State } from "../../ui/badge.tsx";
import { CopyText } from "../../ui/copy.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";
import { adviceFor } from "./order-advice.ts";

const signed: readonly JobType[] = [JobType.ISSUANCE, JobType.RENEWAL];
/** A retried job has another key and another order; more than a few are of no use. */
const perPage = 100;

/** What was ordered for an issuance, and what the CA said of it; nothing where its issuer keeps no orders. */
export function OrderPanel({ job: { type, issuerId: id, id: jobId } }: { job: Job }) {
  const { isAllowed } = usePermission("issuers:read");
  const isSigned = signed.includes(type) && id !== "" && isAllowed;
  const list = useQuery(
    IssuerService.method.listIssuerOrders,
    { id, jobId, page: 1, perPage },
    { enabled: isSigned },
  );
  if (list.error && !list.data)
    return <ErrorCard error={list.error} what="its order" onRetry={() => void list.refetch()} />;
  const [newest, ...older] = (list.data?.data ?? []).flatMap(({ placed }) => placed).reverse();
  if (!newest) return null;
  return (
    <Panel title="Order" note="as the CA showed it last">
      <div className="flex flex-col gap-4">
        <PlacedOrderView order={newest} />
        {older.length > 0 && (
          <details>
            <summary className="cursor-pointer rounded-control font-medium">
              {countText(older.length, "order")} before
            </summary>
            <ol className="mt-2 flex flex-col gap-4 border-line2 border-l pl-3">
              {older.map((order) => (
                <li key={order.url}>
                  <PlacedOrderView order={order} />
                </li>
              ))}
            </ol>
          </details>
        )}
      </div>
    </Panel>
  );
}

function lookOf(status: string) {
  if (status === "valid") return { tone: "ok", icon: CircleCheck } as const;
  if (["pending", "ready", "processing"].includes(status)) return { tone: "due", icon: Hourglass } as const;
  return { tone: "bad", icon: CircleX } as const;
}

const nameOf = ({ identifier, wildcard }: OrderAuthorization) => (wildcard ? `*.${identifier}` : identifier);
const hasFailed = ({ problem, status }: OrderChallenge) => problem !== undefined || status === "invalid";

function PlacedOrderView({
  order: { url, status, placedAt, problem, authorizations },
}: {
  order: PlacedOrder;
}) {
  const failed = authorizations.flatMap((authorization) =>
    authorization.challenges.filter(hasFailed).map((challenge) => ({
      challenge,
      name: nameOf(authorization),
      key: `${nameOf(authorization)} ${challenge.type}`,
    })),
  );
  return (
    <div className="flex flex-col gap-2.5">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge {...lookOf(status)}>{status}</Badge>
        <span className="text-fg2">
          placed <Time at={placedAt} isExact />
        </span>
        <span className="min-w-0 break-all">
          <CopyText text={url} />
        </span>
      </p>
      {failed.map(({ challenge, name, key }) => (
        <FailedChallenge key={key} challenge={challenge} name={name} />
      ))}
      {problem && failed.length === 0 && (
        <div className="tone-bad tone-tint rounded-control px-3 py-2">
          <Problem problem={problem} />
        </div>
      )}
      {authorizations.length > 0 && (
        <ul aria-label="Names" className="flex flex-wrap gap-x-4 gap-y-1">
          {authorizations.map((authorization) => (
            <li key={nameOf(authorization)} className="flex min-w-0 flex-wrap items-center gap-x-2">
              <span className="min-w-0 break-all font-mono text-sm">{nameOf(authorization)}</span>
              <State {...lookOf(authorization.status)}>{authorization.status}</State>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function FailedChallenge({ challenge, name }: { challenge: OrderChallenge; name: string }) {
  const { type, lookedAt, problem } = challenge;
  return (
    <section
      aria-label={`${type} for ${name}`}
      className="tone-bad tone-tint flex flex-col gap-1.5 rounded-control px-3 py-2"
    >
      <p className="font-medium">
        {type} for <span className="break-all">{name}</span> failed
      </p>
      {lookedAt !== "" && (
        <p className="text-fg1">
          The CA looked at <span className="break-all font-mono text-sm">{lookedAt}</span>
        </p>
      )}
      {problem ? <Problem problem={problem} /> : <p>The CA did not say why.</p>}
    </section>
  );
}

/** The CA's words, and what to do about them. */
function Problem({ problem: { type, status, detail, subproblems } }: { problem: CaProblem }) {
  return (
    <div className="flex flex-col gap-1.5">
      <p className="break-words">
        {type !== "" && <span className="font-medium">{type}</span>}
        {status > 0 && <span className="text-fg1"> (HTTP {status})</span>}
        {(type !== "" || status > 0) && ": "}
        <q>{detail || "no more words"}</q>
      </p>
      {subproblems.length > 0 && (
        <ul className="list-disc pl-5">
          {subproblems.map((one) => (
            <li key={`${one.identifier} ${one.type} ${one.detail}`} className="break-words">
              {one.identifier}: {one.type} {one.detail}
            </li>
          ))}
        </ul>
      )}
      <p className="text-fg1">{adviceFor(type)}</p>
    </div>
  );
}
