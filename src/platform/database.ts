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
  return {
    db,
    pool,
    async [Symbol.asyncDispose]() {
      await db.$disconnect();
      await pool.end();
    },
  };
}

/** True when the error is a unique index that refused a row; `column` narrows it to indexes over that column. */
export function isUniqueViolation(error: unknown, column?: string): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  const isUnique = error.code === "P2002" || (error.code === "P2010" && error.message.includes("23505"));
  return isUnique && (column === undefined || JSON.stringify(error.meta ?? error.message).includes(column));
}
