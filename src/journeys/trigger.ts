import type { Database } from "../platform/database.ts";
import type { TrackJob } from "./store.ts";

/** Who set a journey off, and why. */
export interface Trigger {
  cause: "Asked" | "Planned" | "Early" | "Operation";
  actor: string;
  at: Date;
  /** A sentence without its full stop. */
  reason: string;
  operationId: string;
}

/** Read from the audit row of the request, and from the operation that it was part of. */
export async function triggerOf(
  db: Database,
  { certificateId, renewalId }: { certificateId: string; renewalId: string },
  keys: readonly TrackJob[],
): Promise<Trigger> {
  const ids = keys.map(({ id }) => id);
  const [[request], [operation]] = await Promise.all([
    db.$queryRaw<{ actor: string; at: Date }[]>`
      SELECT actor, at FROM audit_events
      WHERE resource_type = 'certificate' AND resource_id = ${certificateId}
        AND action = 'certificate_renewal_requested' AND details->>'renewal_id' = ${renewalId} LIMIT 1`,
    db.$queryRaw<{ id: string; kind: string }[]>`
      SELECT o.id, o.kind FROM operation_items i JOIN operations o ON o.id = i.operation_id
      WHERE i.certificate_id = ${certificateId} AND i.job_ids && ${ids}::text[] LIMIT 1`,
  ]);
  const first = keys[0];
  const actor = request?.actor ?? "system";
  const who = { actor, at: request?.at ?? first?.createdAt ?? new Date(0), operationId: operation?.id ?? "" };
  if (operation)
    return {
      ...who,
      cause: "Operation",
      reason: `Part of the operation ${operation.id} (${operation.kind})`,
    };
  if (actor !== "system") {
    const isFirst = keys.every(({ type }) => type === "Issuance");
    return { ...who, cause: "Asked", reason: isFirst ? "First issued, on request" : "Renewed on request" };
  }
  return keys.some(({ isEarly }) => isEarly)
    ? { ...who, cause: "Early", reason: "A changed renewal policy made it due before its planned time" }
    : { ...who, cause: "Planned", reason: "Its planned renewal was due" };
}
