import { randomUUID } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Order } from "./issuer.ts";

const leaseMs = 30_000;
const renewEveryMs = 10_000;

/** Whose order it is: an issuer has one for a key. */
export interface OrderKey {
  issuerId: string;
  jobId: string;
  keyId: string;
}

/** An order that this process alone works on, until it is disposed of. */
export interface HeldOrder extends Order, AsyncDisposable {
  id: string;
  createdAt: Date;
  /** Whether the CA was left with it the last time. */
  isWaiting: boolean;
  /** Fires when another process may have taken the order over. */
  lost: AbortSignal;
}

/** Takes an issuer's order for a key, beginning it where there is none; a date: another process has it until then. */
export async function holdOrder(
  db: Database,
  { issuerId, jobId, keyId }: OrderKey,
  clock: () => Date,
): Promise<HeldOrder | Date> {
  const now = clock();
  const leaseId = randomUUID();
  const [held] = await db.$queryRaw<{ id: string; createdAt: Date; reference: string }[]>`
    INSERT INTO issuer_orders AS known
      (id, issuer_id, job_id, key_id, state, created_at, updated_at, lease_id, lease_expires_at)
    VALUES (${newId("ord")}, ${issuerId}, ${jobId}, ${keyId}, 'null', ${now}, ${now}, ${leaseId},
      now() + ${leaseMs} * interval '1 millisecond')
    ON CONFLICT (issuer_id, key_id) DO UPDATE SET lease_id = excluded.lease_id, lease_expires_at = excluded.lease_expires_at
    WHERE known.lease_expires_at IS NULL OR known.lease_expires_at <= now()
    RETURNING id, created_at AS "createdAt", reference`;
  if (!held) {
    const [other] = await db.$queryRaw<{ inMs: number }[]>`
      SELECT greatest(0, extract(epoch FROM lease_expires_at - now()) * 1000)::int AS "inMs" FROM issuer_orders
      WHERE issuer_id = ${issuerId} AND key_id = ${keyId}`;
    return new Date(now.getTime() + (other?.inMs ?? 0));
  }
  const { id, createdAt, reference } = held;
  const lost = new AbortController();
  const renewal = setInterval(() => {
    const renewed = db.$executeRaw`
      UPDATE issuer_orders SET lease_expires_at = now() + ${leaseMs} * interval '1 millisecond'
      WHERE id = ${id} AND lease_id = ${leaseId} AND lease_expires_at > now()`;
    // A database that is away for a moment answers the next time; the lease may have ended by then.
    renewed.then(
      (count) => count === 0 && lost.abort(new Error(`order ${id} is another process's now`)),
      () => {},
    );
  }, renewEveryMs);
  return {
    id,
    createdAt,
    isWaiting: reference !== "",
    lost: lost.signal,
    async read() {
      const { state } = await db.issuerOrder.findUniqueOrThrow({ where: { id }, select: { state: true } });
      return state as JsonObject | null;
    },
    async write(state) {
      const { count } = await db.issuerOrder.updateMany({
        where: { id, leaseId },
        data: {
          ...(state ? { state: state as Prisma.InputJsonObject } : { state: Prisma.JsonNull, reference: "" }),
          updatedAt: clock(),
        },
      });
      if (count === 0) throw new Error(`order ${id} is another process's now`);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(renewal);
      await db.issuerOrder.updateMany({
        where: { id, leaseId },
        data: { leaseId: null, leaseExpiresAt: null },
      });
    },
  };
}
