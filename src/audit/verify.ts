import type { KeyObject } from "node:crypto";
import { spkiOf } from "../x509/keys.ts";
import {
  checkpointHash,
  isSigned,
  keyIdOf,
  merkleRoot,
  type NumberedRow,
  noCheckpoint,
  rowHash,
  type SignedCheckpoint,
} from "./evidence.ts";

/** What is verified. Rows come in the order of their numbers, those without one last. */
export interface Evidence {
  rows: AsyncIterable<NumberedRow>;
  checkpoints: AsyncIterable<SignedCheckpoint>;
  /** The only keys that are believed. */
  keys: readonly KeyObject[];
  /** A checkpoint that was seen before, in a log or by an agent: it must still be there. */
  expect?: { seq: bigint; hash: string };
}

export interface Verdict {
  /** What is wrong, in words; empty if nothing is. */
  problems: string[];
  /** Rows that checkpoints vouch for. */
  covered: bigint;
  /** Rows behind the last checkpoint: nothing protects them yet. */
  uncovered: number;
  checkpoints: number;
  last: SignedCheckpoint | null;
}

/** More would repeat itself. */
const mostProblems = 100;

/** Recomputes every hash, root and signature, in bounded memory: one checkpoint's rows at a time. */
export async function verifyAudit({ rows, checkpoints, keys, expect }: Evidence): Promise<Verdict> {
  const trusted = new Map(keys.map((key) => [keyIdOf(spkiOf(key)), key]));
  const problems: string[] = [];
  const complain = (problem: string) => {
    if (problems.length < mostProblems) problems.push(problem);
  };
  const reader = createReader(rows, complain);
  let last: SignedCheckpoint | null = null;
  let count = 0;
  let isExpectedSeen = false;
  for await (const checkpoint of checkpoints) {
    count += 1;
    const name = `checkpoint ${checkpoint.seq}`;
    checkChain(checkpoint, last, complain);
    const key = trusted.get(checkpoint.keyId);
    if (!key) complain(`${name} is signed by ${checkpoint.keyId}, which is not a key that is believed`);
    else if (!isSigned(checkpoint, key)) complain(`${name} bears a wrong signature`);
    const hashes = await reader.upTo((last?.seq ?? 0n) + 1n, checkpoint.seq);
    if (hashes && !merkleRoot(hashes).equals(checkpoint.root)) {
      const first = checkpoint.seq - BigInt(hashes.length) + 1n;
      complain(
        `a row between ${first} and ${checkpoint.seq} was changed: ${name} vouches for another content`,
      );
    }
    if (expect?.seq === checkpoint.seq && expect.hash === checkpointHash(checkpoint).toString("hex"))
      isExpectedSeen = true;
    last = checkpoint;
  }
  if (expect && !isExpectedSeen)
    complain(
      `the checkpoint ${expect.seq} that was seen before is not there: the end was cut off or rewritten`,
    );
  const uncovered = await reader.rest();
  return { problems, covered: last?.seq ?? 0n, uncovered, checkpoints: count, last };
}

function checkChain(
  checkpoint: SignedCheckpoint,
  before: SignedCheckpoint | null,
  complain: (problem: string) => void,
): void {
  const name = `checkpoint ${checkpoint.seq}`;
  if (!checkpointHash(checkpoint).equals(checkpoint.hash)) complain(`${name} was changed`);
  const expected = before ? checkpointHash(before) : noCheckpoint;
  if (!checkpoint.prevHash.equals(expected)) {
    complain(before ? `${name} does not follow checkpoint ${before.seq}` : `${name} is not the first one`);
  }
  if (checkpoint.seq - BigInt(checkpoint.count) !== (before?.seq ?? 0n))
    complain(`${name} does not begin where the one before ends`);
}

interface Reader {
  /** The hashes of these rows, computed; null when one is missing. */
  upTo(first: bigint, last: bigint): Promise<Buffer[] | null>;
  /** Reads what is left; returns how many rows that is. */
  rest(): Promise<number>;
}

function createReader(rows: AsyncIterable<NumberedRow>, complain: (problem: string) => void): Reader {
  const iterator = rows[Symbol.asyncIterator]();
  let next: NumberedRow | undefined;
  const peek = async () => {
    next ??= (await iterator.next()).value as NumberedRow | undefined;
    return next;
  };
  return {
    async upTo(first, last) {
      const hashes: Buffer[] = [];
      let wanted = first;
      let isWhole = true;
      for (let row = await peek(); row?.seq != null && row.seq <= last; row = await peek()) {
        next = undefined;
        if (row.seq < wanted) {
          complain(`row ${row.seq} is there twice`);
          isWhole = false;
          continue;
        }
        if (row.seq > wanted) {
          complain(missing(wanted, row.seq - 1n));
          isWhole = false;
        }
        const hash = rowHash(row.seq, row);
        if (row.hash && !hash.equals(row.hash)) complain(`row ${row.seq} (${row.id}) was changed`);
        hashes.push(hash);
        wanted = row.seq + 1n;
      }
      if (wanted <= last) complain(missing(wanted, last));
      return isWhole && wanted > last ? hashes : null;
    },
    async rest() {
      let count = 0;
      for (let row = await peek(); row; row = await peek()) {
        next = undefined;
        count += 1;
      }
      return count;
    },
  };
}

function missing(first: bigint, last: bigint): string {
  return first === last ? `row ${first} is missing` : `rows ${first} to ${last} are missing`;
}
