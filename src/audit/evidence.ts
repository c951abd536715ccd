import { createHash, type KeyObject, sign, verify } from "node:crypto";
import { sha256 } from "../x509/keys.ts";

/** An audit row as it is sealed. */
export interface AuditRow {
  id: string;
  at: Date;
  actor: string;
  actorType: string;
  action: string;
  resourceType: string;
  resourceId: string;
  requestId: string;
  details: unknown;
}

/** A row with the number that it was sealed under and the hash that it had then; null until it is sealed. */
export interface NumberedRow extends AuditRow {
  seq: bigint | null;
  hash: Uint8Array | null;
}

/** What is said of the rows up to `seq`: `count` of them are new since the checkpoint before, whose hash is `prevHash`. */
export interface Checkpoint {
  seq: bigint;
  count: number;
  /** Merkle tree hash of the new rows (RFC 9162, section 2.1.1). */
  root: Buffer;
  prevHash: Buffer;
  time: Date;
  /** Of the key that signed. */
  keyId: string;
}

export interface SignedCheckpoint extends Checkpoint {
  hash: Buffer;
  /** Ed25519. */
  signature: Buffer;
}

/** What the first checkpoint names as the one before it. */
export const noCheckpoint = Buffer.alloc(32);

/** The hash of a row with its number. Every field is a JSON string of its own, so that none runs into the next. */
export function rowHash(seq: bigint, row: AuditRow): Buffer {
  const fields = [
    "certctl audit row 1",
    String(seq),
    row.id,
    row.at.toISOString(),
    row.actor,
    row.actorType,
    row.action,
    row.resourceType,
    row.resourceId,
    row.requestId,
    canonicalJson(row.details),
  ];
  return hashOf(leafPrefix, Buffer.from(JSON.stringify(fields)));
}

/** The root over the hashes of rows, in their order. */
export function merkleRoot(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (!only) return createHash("sha256").digest();
  if (hashes.length === 1) return only;
  const half = 2 ** Math.floor(Math.log2(hashes.length - 1));
  return hashOf(nodePrefix, merkleRoot(hashes.slice(0, half)), merkleRoot(hashes.slice(half)));
}

export function signCheckpoint(checkpoint: Checkpoint, key: KeyObject): SignedCheckpoint {
  const text = signedText(checkpoint);
  return { ...checkpoint, hash: sha256(text), signature: sign(null, text, key) };
}

/** The hash by which a checkpoint is named, computed from what it says. */
export function checkpointHash(checkpoint: Checkpoint): Buffer {
  return sha256(signedText(checkpoint));
}

export function isSigned(checkpoint: SignedCheckpoint, key: KeyObject): boolean {
  return verify(null, signedText(checkpoint), key, checkpoint.signature);
}

/** "sha256:" and the hash of the public key: who pins it pins the key. */
export function keyIdOf(spki: Uint8Array): string {
  return `sha256:${sha256(spki).toString("hex")}`;
}

function signedText({ seq, count, root, prevHash, time, keyId }: Checkpoint): Buffer {
  const fields = [
    "certctl audit checkpoint 1",
    String(seq),
    String(count),
    root.toString("hex"),
    prevHash.toString("hex"),
    time.toISOString(),
    keyId,
  ];
  return Buffer.from(JSON.stringify(fields));
}

/** JSON with sorted keys: the same value is the same text, whoever wrote it. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
  return `{${members.join(",")}}`;
}

// A row is never taken for an inner node, nor the other way round.
const leafPrefix = Buffer.of(0);
const nodePrefix = Buffer.of(1);

function hashOf(...parts: Uint8Array[]): Buffer {
  return sha256(Buffer.concat(parts));
}
