import { createPublicKey, type KeyObject } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { create, type JsonValue } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import {
  type ActorType,
  ActorTypeSchema,
  type AuditCheckpoint,
  AuditCheckpointSchema,
  type AuditEvent,
  AuditEventSchema,
  type AuditKey,
  AuditKeySchema,
  AuditService,
  ExportAuditEventsRequestSchema,
} from "#gen/certctl/v1/audit_pb.ts";
import type { NumberedRow, SignedCheckpoint } from "../src/audit/evidence.ts";
import { wordsOf } from "../src/platform/words.ts";
import { decodeJson } from "../src/rest/json.ts";
import type { Connection } from "./connection.ts";
import { CommandFailure, exitCodes } from "./failure.ts";

const actorTypes = wordsOf(ActorTypeSchema);

/** One part of what is verified: keys come first, then checkpoints, then events in the order of their numbers. */
export type Part =
  | { kind: "key"; value: AuditKey }
  | { kind: "checkpoint"; value: AuditCheckpoint }
  | { kind: "event"; value: AuditEvent };

export const schemas = { key: AuditKeySchema, checkpoint: AuditCheckpointSchema, event: AuditEventSchema };

/** Reads the parts from a server. Checkpoints are read before events, so that none vouches for an event not yet read. */
export async function* fromServer({ transport }: Connection, signal: AbortSignal): AsyncGenerator<Part> {
  const client = createClient(AuditService, transport);
  const { status } = await client.getAuditStatus({});
  for (const value of status?.keys ?? []) yield { kind: "key", value };
  for (let cursor = "", isFirst = true; isFirst || cursor !== ""; isFirst = false) {
    const page = await client.listAuditCheckpoints({ perPage: 500, cursor });
    for (const value of page.data) yield { kind: "checkpoint", value };
    cursor = page.nextCursor;
  }
  const request = create(ExportAuditEventsRequestSchema);
  for await (const { event } of client.exportAuditEvents(request, { signal }))
    if (event) yield { kind: "event", value: event };
}

/** Reads the parts from a file that `audit save` wrote. */
export async function* fromFile(path: string): AsyncGenerator<Part> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() !== "") yield readPart(line, `${path}:${number}`);
  }
}

function readPart(line: string, where: string): Part {
  const wrong = new CommandFailure(`${where} is no line of certctl audit save`, exitCodes.usage);
  let json: JsonValue;
  try {
    json = JSON.parse(line);
  } catch {
    throw wrong;
  }
  const [entry, second] = Object.entries((json ?? {}) as Record<string, JsonValue>);
  const kind = entry?.[0];
  if (!entry || second || (kind !== "key" && kind !== "checkpoint" && kind !== "event")) throw wrong;
  const decoded = decodeJson<(typeof schemas)[typeof kind]>(schemas[kind], entry[1]);
  if (decoded.kind === "violations") throw wrong;
  return { kind, value: decoded.message } as Part;
}

export function rowOf(event: AuditEvent): NumberedRow {
  if (!event.timestamp) throw new CommandFailure(`event ${event.id} has no timestamp`);
  return {
    id: event.id,
    at: timestampDate(event.timestamp),
    actor: event.actor,
    actorType: actorTypes.text(event.actorType as ActorType),
    action: event.action,
    resourceType: event.resourceType,
    resourceId: event.resourceId,
    requestId: event.requestId,
    details: event.details ?? {},
    seq: event.seq === undefined ? null : wholeNumber(event.seq),
    hash: event.hash === "" ? null : Buffer.from(event.hash, "hex"),
  };
}

export function checkpointOf(message: AuditCheckpoint): SignedCheckpoint {
  if (!message.time) throw new CommandFailure(`checkpoint ${message.seq} has no time`);
  return {
    seq: wholeNumber(message.seq),
    count: message.count,
    root: Buffer.from(message.root, "hex"),
    prevHash: Buffer.from(message.prev, "hex"),
    time: timestampDate(message.time),
    keyId: message.keyId,
    hash: Buffer.from(message.hash, "hex"),
    signature: Buffer.from(message.signature, "base64"),
  };
}

function wholeNumber(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new CommandFailure(`${value} is no number of an audit row`);
  return BigInt(value);
}

export function publicKeyOf({ id, publicKeyPem }: AuditKey): KeyObject {
  try {
    return createPublicKey(publicKeyPem);
  } catch {
    throw new CommandFailure(`the public key ${id} cannot be read`);
  }
}
