import type { Operation } from "#gen/prisma/client.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { enqueue } from "../jobs/queue.ts";
import type { Database } from "../platform/database.ts";
import { conflict, notFound } from "../platform/errors.ts";

type OperationStatus = "AwaitingApproval" | "Running" | "Paused" | "Completed" | "Cancelled";

/** The only ways that an operation moves. */
const transitions: Record<OperationStatus, readonly OperationStatus[]> = {
  AwaitingApproval: ["Running", "Cancelled"],
  Running: ["Paused", "Completed", "Cancelled"],
  Paused: ["Running", "Cancelled"],
  Completed: [],
  Cancelled: [],
};

/** What a person may do to an operation: from which states, into which. */
const moves = {
  approve: { from: ["AwaitingApproval"], to: "Running", done: "approved" },
  pause: { from: ["Running"], to: "Paused", done: "paused" },
  resume: { from: ["Paused"], to: "Running", done: "resumed" },
  cancel: { from: ["AwaitingApproval", "Running", "Paused"], to: "Cancelled", done: "cancelled" },
} as const satisfies Record<string, { from: readonly OperationStatus[]; to: OperationStatus; done: string }>;

/** Moves an operation as a person asks, and sets it going where it is to run. */
export async function moveOperation(
  { db, clock }: { db: Database; clock: () => Date },
  actor: Actor,
  id: string,
  move: keyof typeof moves,
): Promise<void> {
  const { from, to, done } = moves[move];
  await db.$transaction(async (tx) => {
    const operation = await tx.operation.findUnique({ where: { id } });
    if (!operation) throw notFound("operation", id);
    const isAllowed = from.some((status) => status === operation.status) && mayMove(operation, to);
    const now = clock();
    const approval = move === "approve" ? { approvedBy: actor.id, approvedAt: now } : {};
    const { count } = isAllowed
      ? await tx.operation.updateMany({
          where: { id, status: operation.status },
          data: { status: to, ...approval, ...(to === "Cancelled" ? { finishedAt: now } : {}) },
        })
      : { count: 0 };
    if (count === 0) {
      throw conflict("OPERATION_STATUS", `operation ${id} is ${operation.status}; it cannot be ${done} now`);
    }
    if (to === "Running") await enqueue(tx, "operate", id);
    await recordAudit(tx, actor, {
      action: `operation_${done}`,
      resourceType: "operation",
      resourceId: id,
      details: { kind: operation.kind },
    });
  });
}

function mayMove(operation: Operation, to: OperationStatus): boolean {
  return transitions[operation.status as OperationStatus].includes(to);
}
