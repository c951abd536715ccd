import { create, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type CertificateFilter as CertificateFilterMessage,
  CertificateFilterSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import {
  type Operation,
  OperationItemSchema,
  OperationItemStatusSchema,
  OperationKindSchema,
  OperationSchema,
  type OperationService,
  OperationStatusSchema,
  type Reassignment as ReassignmentMessage,
  type Revocation as RevocationMessage,
} from "#gen/certctl/v1/operations_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import { filterOf } from "../certificates/filter-message.ts";
import { countInUse } from "../certificates/in-use.ts";
import { certificateMessage } from "../certificates/message.ts";
import { checkReassignment, type Reassignment } from "../certificates/reassign.ts";
import { isHeldBack } from "../certificates/revoke.ts";
import { revocationReasons } from "../certificates/version-message.ts";
import { listCertificates, matchingIds } from "../certificates/view.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { wordsOf } from "../platform/words.ts";
import { createOperation, type Revocation, requireNoChanges, requireRevocation } from "./create.ts";
import { moveOperation } from "./state.ts";
import { findOperation, listItems, listOperations, type OperationView } from "./view.ts";

const kinds = wordsOf(OperationKindSchema);
const statuses = wordsOf(OperationStatusSchema);
const itemStatuses = wordsOf(OperationItemStatusSchema);
const examples = { page: 1, perPage: 20, sort: "name", cursor: "" };

export function operationService(deps: {
  db: Database;
  clock: () => Date;
}): ServiceImpl<typeof OperationService> {
  const { db, clock } = deps;

  async function read(id: string): Promise<Operation> {
    const view = await findOperation(db, id);
    if (!view) throw notFound("operation", id);
    return message(view);
  }

  const move =
    (how: Parameters<typeof moveOperation>[3]) =>
    async ({ id }: { id: string }, context: HandlerContext) => {
      await moveOperation(deps, callerOf(context), id, how);
      return { operation: await read(id) };
    };

  return {
    async listOperations(request) {
      const wanted = { statuses: request.status.map(statuses.text), kinds: request.kind.map(kinds.text) };
      const { rows, ...page } = await listOperations(db, request, wanted);
      return { ...page, data: rows.map(message) };
    },
    async getOperation({ id }) {
      return { operation: await read(id) };
    },
    async dryRunOperation(request, context) {
      const actor = callerOf(context);
      const changes = changesOf(request.changes);
      if (kinds.text(request.kind) === "Reassign")
        await db.$transaction((tx) => checkReassignment(tx, actor, changes));
      else requireNoChanges(changes);
      const revocation = revocationOf(request.revocation);
      requireRevocation(kinds.text(request.kind), revocation);
      const filter = filterOf(request.filter ?? create(CertificateFilterSchema), false);
      const { total, rows } = await listCertificates(db, actor.grants, examples, filter, clock());
      const ids = matchingIds(actor.grants, filter, clock());
      const inUse = revocation && isHeldBack(revocation) ? await countInUse(db, ids, clock()) : 0;
      return { total, examples: rows.map(certificateMessage), inUse };
    },
    async createOperation(request, context) {
      const filter = request.filter ?? create(CertificateFilterSchema);
      const id = await createOperation(deps, callerOf(context), {
        kind: kinds.text(request.kind),
        filter: filterOf(filter, false),
        filterJson: toJson(CertificateFilterSchema, filter) as JsonObject,
        changes: changesOf(request.changes),
        revocation: revocationOf(request.revocation),
        expectedTotal: request.expectedTotal,
      });
      return { operation: await read(id) };
    },
    async listOperationItems(request) {
      await read(request.id);
      const wanted = request.status.map(itemStatuses.text);
      const { rows, ...page } = await listItems(db, request.id, request, wanted);
      const data = rows.map(({ id, status, ...row }) =>
        create(OperationItemSchema, { ...row, certificateId: id, status: itemStatuses.value(status) }),
      );
      return { ...page, data };
    },
    approveOperation: move("approve"),
    pauseOperation: move("pause"),
    resumeOperation: move("resume"),
    cancelOperation: move("cancel"),
  };
}

function storedRevocation(changes: unknown) {
  const { reason, force } = changes as Revocation;
  return { reason: revocationReasons.value(reason), force };
}

function changesOf(changes: ReassignmentMessage | undefined): Reassignment {
  return {
    ownerId: changes?.ownerId,
    teamId: changes?.teamId,
    renewalPolicyId: changes?.renewalPolicyId,
    environment: changes?.environment,
  };
}

function revocationOf(revocation: RevocationMessage | undefined): Revocation | null {
  if (!revocation) return null;
  return { reason: revocationReasons.text(revocation.reason) as RevocationReason, force: revocation.force };
}

function message(view: OperationView): Operation {
  const filter: CertificateFilterMessage = fromJson(CertificateFilterSchema, view.filter as JsonObject);
  return create(OperationSchema, {
    id: view.id,
    kind: kinds.value(view.kind),
    status: statuses.value(view.status),
    filter,
    ...(view.kind === "Reassign" ? { changes: view.changes } : {}),
    ...(view.kind === "Revoke" ? { revocation: storedRevocation(view.changes) } : {}),
    reason: view.reason,
    total: view.total,
    done: view.done,
    skipped: view.skipped,
    failed: view.failed,
    createdBy: view.createdBy,
    createdAt: timestampFromDate(view.createdAt),
    approvedBy: view.approvedBy ?? "",
    ...(view.approvedAt ? { approvedAt: timestampFromDate(view.approvedAt) } : {}),
    ...(view.finishedAt ? { finishedAt: timestampFromDate(view.finishedAt) } : {}),
  });
}
