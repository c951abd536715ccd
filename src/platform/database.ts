import { setTimeout as delay } from "node:timers/promises";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { Prisma, PrismaClient } from "#gen/prisma/client.ts";

/** A client outside any transaction. */
export type Database = PrismaClient;
/** A client or the transaction that a change is part of. */
export type Transaction = Prisma.TransactionClient;

/** The connections of one process, closed together. */
export interface DatabaseHandle extends AsyncDisposable {
  db: Database;
  /** The same connections, for the task queue. */
  pool: pg.Pool;
}

export function openDatabase(url: string, onError: (error: Error) => void): DatabaseHandle {
  const pool = new pg.Pool({ connectionString: url, max: 20, connectionTimeoutMillis: 10_000 });
  // An idle connection that the server closes is replaced at the next query; unhandled, the event ends the process.
  pool.on("error", onError);
  pool.on("connect", (client) => client.on("error", onError));
  const db = new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: { maxWait: 10_000, timeout: 20_000 },
  });
  rerunDeadlocked(db);
  return {
    db,
    pool,
    async [Symbol.asyncDispose]() {
      await db.$disconnect();
      await pool.end();
    },
  };
}

/** How often a transaction is run before its deadlock counts as an error. */
const mostRuns = 5;

/**
 * Has transactions run again that the database broke off to end a deadlock. They have changed nothing and told nobody, so
 * that the caller need not know: a function that is a transaction may run more than once.
 */
function rerunDeadlocked(db: PrismaClient): void {
  const run = db.$transaction.bind(db) as (work: unknown, options?: unknown) => Promise<unknown>;
  const rerun = async (work: unknown, options?: unknown): Promise<unknown> => {
    for (let runs = 1; ; runs++) {
      try {
        return await run(work, options);
      } catch (error) {
        // The queries of a list are spent once they were sent.
        if (typeof work !== "function" || runs === mostRuns || !isDeadlock(error)) throw error;
        // The other one gets ahead, or they would meet again.
        await delay(Math.random() * 50 * runs);
      }
    }
  };
  Object.assign(db, { $transaction: rerun });
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && sqlStateOf(error) === "40P01";
}

/** What PostgreSQL called an error: five letters and digits, or empty if it was none of PostgreSQL's. */
export function sqlStateOf({ meta }: Prisma.PrismaClientKnownRequestError): string {
  const adapterError = meta?.["driverAdapterError"] as { cause?: { originalCode?: string } } | undefined;
  return adapterError?.cause?.originalCode ?? "";
}

/** True when the error is a unique index that refused a row; `column` narrows it to indexes over that column. */
export function isUniqueViolation(error: unknown, column?: string): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  const isUnique = error.code === "P2002" || (error.code === "P2010" && error.message.includes("23505"));
  return isUnique && (column === undefined || JSON.stringify(error.meta ?? error.message).includes(column));
}
