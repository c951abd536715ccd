import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  ActorTypeSchema,
  type AuditCheckpoint,
  AuditCheckpointSchema,
  type AuditEvent,
  AuditEventSchema,
  type AuditService,
  AuditStatusSchema,
  type ExportAuditEventsRequest,
  type ListAuditEventsRequest,
} from "#gen/certctl/v1/audit_pb.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { wordsOf } from "../platform/words.ts";
import { pem } from "../x509/pem.ts";
import { listCheckpoints, newestCheckpoint } from "./checkpoints.ts";
import type { NumberedRow, SignedCheckpoint } from "./evidence.ts";
import { countAuditEvents } from "./facets.ts";
import { unsealed } from "./seal.ts";
import { type AuditFilter, allAuditEvents, findAuditEvent, listAuditEvents } from "./view.ts";

const actorTypes = wordsOf(ActorTypeSchema);

export function auditService({ db }: { db: Database }): ServiceImpl<typeof AuditService> {
  return {
    async listAuditEvents(request) {
      const { rows, ...page } = await listAuditEvents(db, request, filterOf(request));
      return { ...page, data: rows.map(message) };
    },
    async getAuditEvent({ id }) {
      const view = await findAuditEvent(db, id);
      if (!view) throw notFound("audit event", id);
      return { event: message(view) };
    },
    async getAuditFacets({ from, to }) {
      const range = { from: from ? timestampDate(from) : null, to: to ? timestampDate(to) : null };
      return { facets: await countAuditEvents(db, range) };
    },
    async *exportAuditEvents(request, { signal }) {
      for await (const view of allAuditEvents(db, filterOf(request))) {
        if (signal.aborted) return;
        yield { event: message(view) };
      }
    },
    async listAuditCheckpoints(request) {
      const { rows, ...page } = await listCheckpoints(db, request);
      return { ...page, data: rows.map(checkpointMessage) };
    },
    async getAuditStatus() {
      const [checkpoint, { count, oldest, waitedSeconds }, keys] = await Promise.all([
        newestCheckpoint(db),
        unsealed(db),
        db.auditKey.findMany({ orderBy: { createdAt: "desc" } }),
      ]);
      const status = create(AuditStatusSchema, {
        sealed: Number(checkpoint?.seq ?? 0n),
        unsealed: count,
        lagSeconds: waitedSeconds,
        ...(oldest ? { oldestUnsealedAt: timestampFromDate(oldest) } : {}),
        ...(checkpoint ? { checkpoint: checkpointMessage(checkpoint) } : {}),
        keys: keys.map(({ id, publicKey }) => ({ id, publicKeyPem: pem("PUBLIC KEY", publicKey) })),
      });
      return { status };
    },
  };
}

function filterOf(request: ListAuditEventsRequest | ExportAuditEventsRequest): AuditFilter {
  return {
    actor: request.actor,
    actorTypes: request.actorType.map(actorTypes.text),
    actions: request.action,
    resourceType: request.resourceType,
    resourceId: request.resourceId,
    requestId: request.requestId,
    from: request.from ? timestampDate(request.from) : null,
    to: request.to ? timestampDate(request.to) : null,
  };
}

function message(view: NumberedRow): AuditEvent {
  return create(AuditEventSchema, {
    id: view.id,
    timestamp: timestampFromDate(view.at),
    actor: view.actor,
    actorType: actorTypes.value(view.actorType),
    action: view.action,
    resourceType: view.resourceType,
    resourceId: view.resourceId,
    details: view.details as JsonObject,
    requestId: view.requestId,
    ...(view.seq === null ? {} : { seq: Number(view.seq) }),
    hash: view.hash ? Buffer.from(view.hash).toString("hex") : "",
  });
}

function checkpointMessage(checkpoint: SignedCheckpoint): AuditCheckpoint {
  return create(AuditCheckpointSchema, {
    seq: Number(checkpoint.seq),
    count: checkpoint.count,
    root: checkpoint.root.toString("hex"),
    prev: checkpoint.prevHash.toString("hex"),
    time: timestampFromDate(checkpoint.time),
    keyId: checkpoint.keyId,
    hash: checkpoint.hash.toString("hex"),
    signature: checkpoint.signature.toString("base64"),
  });
}
