import { Prisma } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";
import type { Log } from "../platform/log.ts";
import type { ScheduledTask } from "../scheduler/task.ts";
import {
  type AuditRow,
  merkleRoot,
  noCheckpoint,
  rowHash,
  type SignedCheckpoint,
  signCheckpoint,
} from "./evidence.ts";
import type { AuditKey } from "./key.ts";

export interface SealDeps {
  db: Database;
  key: AuditKey;
  log: Log;
}

/** Any number that nothing else locks: there is one sealer. */
const sealLock = 7_220_114_334;
/** Rows that one checkpoint covers at most. */
const mostRows = 5_000;
/** A row that is not sealed after this long is worth a word: a transaction that stays open holds all later ones up. */
const lateSeconds = 15 * 60;

/** Seals what is settled, again and again. */
export function sealTask(deps: SealDeps, everyMs: number): ScheduledTask {
  let hasLookedEverywhere = false;
  return {
    name: "audit-seal",
    title: "Numbers settled audit rows and signs a checkpoint over them",
    everyMs,
    async run(now, signal) {
      let sealed = 0;
      for (;;) {
        const checkpoint = await sealSettled(deps, now, hasLookedEverywhere ? "newer" : "all");
        sealed += checkpoint?.count ?? 0;
        if ((checkpoint?.count ?? 0) < mostRows || signal.aborted) break;
      }
      hasLookedEverywhere = true;
      const { count, oldest, waitedSeconds } = await unsealed(deps.db);
      if (waitedSeconds > lateSeconds)
        deps.log.warn({ count, oldest }, "audit rows wait long for their seal: a transaction stays open");
      return `sealed ${sealed} rows, ${count} are not settled yet`;
    },
  };
}

/**
 * Gives rows that are settled their numbers and signs a checkpoint over them. Settled is what lies below the oldest
 * transaction that still runs: no row can appear before it any more. Null if nothing is, or another replica seals.
 * `newer` looks behind the last sealed row only.
 */
export async function sealSettled(
  { db, key, log }: SealDeps,
  now: Date,
  scope: "all" | "newer",
): Promise<SignedCheckpoint | null> {
  const checkpoint = await db.$transaction(
    async (tx) => {
      const [lock] = await tx.$queryRaw<[{ isMine: boolean }]>`
        SELECT pg_try_advisory_xact_lock(${sealLock}::bigint) AS "isMine"`;
      if (!lock.isMine) return null;
      const last = await tx.auditCheckpoint.findFirst({ orderBy: { seq: "desc" } });
      const rows = await settledRows(tx, scope);
      if (rows.length === 0) return null;
      const first = (last?.seq ?? 0n) + 1n;
      const seals = rows.map((row, index) => {
        const seq = first + BigInt(index);
        return { seq, eventId: row.id, hash: rowHash(seq, row) };
      });
      const signed = signCheckpoint(
        {
          seq: first + BigInt(rows.length) - 1n,
          count: rows.length,
          root: merkleRoot(seals.map(({ hash }) => hash)),
          prevHash: last ? Buffer.from(last.hash) : noCheckpoint,
          time: now,
          keyId: key.id,
        },
        key.key,
      );
      await tx.$executeRaw`
        INSERT INTO audit_seals (seq, event_id, hash)
        SELECT seq, event_id, decode(hash, 'hex') FROM unnest(
          ${seals.map(({ seq }) => seq)}::bigint[], ${seals.map(({ eventId }) => eventId)}::text[],
          ${seals.map(({ hash }) => hash.toString("hex"))}::text[]
        ) AS sealed(seq, event_id, hash)`;
      await tx.auditCheckpoint.create({
        data: {
          ...signed,
          root: new Uint8Array(signed.root),
          prevHash: new Uint8Array(signed.prevHash),
          hash: new Uint8Array(signed.hash),
          signature: new Uint8Array(signed.signature),
        },
      });
      return signed;
    },
    { timeout: 60_000 },
  );
  if (checkpoint) tell(log, checkpoint);
  return checkpoint;
}

/** How many rows have no number yet, and since when the oldest of them waits. */
export async function unsealed(
  db: Database,
): Promise<{ count: number; oldest: Date | null; waitedSeconds: number }> {
  const [found] = await db.$queryRaw<[{ count: number; oldest: Date | null; waitedSeconds: number }]>`
    SELECT count(*)::int AS count, min(e.at) AS oldest,
      greatest(0, coalesce(floor(extract(epoch FROM now() - min(e.at))), 0))::int AS "waitedSeconds"
    FROM audit_events e
    WHERE ${isNewer} AND NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.event_id = e.id)`;
  return found;
}

/** The last row that was sealed, and what comes behind it in the order of sealing. */
const isNewer = Prisma.sql`(e.epoch, e.xid) >= (
  SELECT coalesce(max(l.epoch), -1), coalesce(max(l.xid), -1) FROM audit_events l
  WHERE l.id = (SELECT s.event_id FROM audit_seals s ORDER BY s.seq DESC LIMIT 1))`;

/** In their order for good: what a statement's snapshot sees below its xmin is complete. */
async function settledRows(tx: Transaction, scope: "all" | "newer"): Promise<AuditRow[]> {
  return tx.$queryRaw<AuditRow[]>`
    SELECT e.id, e.at, e.actor, e.actor_type AS "actorType", e.action, e.resource_type AS "resourceType",
      e.resource_id AS "resourceId", e.request_id AS "requestId", e.details
    FROM audit_events e
    WHERE (e.epoch < (SELECT db_epoch FROM installation WHERE id = 1)
        OR e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
      AND NOT EXISTS (SELECT 1 FROM audit_seals s WHERE s.event_id = e.id)
      AND ${scope === "all" ? Prisma.sql`true` : isNewer}
    ORDER BY e.epoch, e.xid, e.position LIMIT ${mostRows}`;
}

/** A copy that whoever changes the database does not reach: logs are kept elsewhere. */
function tell(
  log: Log,
  { seq, count, root, prevHash, time, keyId, hash, signature }: SignedCheckpoint,
): void {
  log.info(
    {
      seq: String(seq),
      count,
      root: root.toString("hex"),
      prev: prevHash.toString("hex"),
      time: time.toISOString(),
      keyId,
      hash: hash.toString("hex"),
      signature: signature.toString("base64"),
    },
    "audit checkpoint",
  );
}
