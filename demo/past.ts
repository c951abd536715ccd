import type { Database } from "../src/platform/database.ts";

/**
 * Lets things happen in the past. The code takes its time as a parameter, but the database stamps rows by its own clock:
 * whatever was stamped while the work ran is moved to where the work is said to have happened.
 */
export interface Past {
  time: { now: Date };
  during(at: Date, work: () => Promise<void>): Promise<void>;
  /** Gives the audit its protection back. */
  end(): Promise<void>;
}

/** A second of work stands for so many seconds of the past. */
const stretch = 20;
/** Stamps of this process and of the database differ by no more. */
const slackMs = 50;

const auditTrigger = '"audit_events_refuse_change"';

export async function openPast(db: Database, start: Date): Promise<Past> {
  const columns = await timeColumns(db);
  const time = { now: start };
  await db.$executeRawUnsafe(`ALTER TABLE audit_events DISABLE TRIGGER ${auditTrigger}`);
  return {
    time,
    async during(at, work) {
      time.now = at;
      const from = await clockOf(db);
      await work();
      const to = await clockOf(db);
      for (const [table, names] of columns) await move(db, table, names, { from, to, at });
    },
    async end() {
      await db.$executeRawUnsafe(`ALTER TABLE audit_events ENABLE ALWAYS TRIGGER ${auditTrigger}`);
    },
  };
}

async function clockOf(db: Database): Promise<Date> {
  const [row] = await db.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  if (!row) throw new Error("the database has no clock");
  return row.now;
}

/** Every column of our tables that holds a time. */
async function timeColumns(db: Database): Promise<Map<string, string[]>> {
  const rows = await db.$queryRaw<{ table: string; column: string }[]>`
    SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type = 'timestamp with time zone' AND table_name NOT LIKE '\\_%'
    ORDER BY table_name, column_name`;
  return new Map(
    Object.entries(Object.groupBy(rows, ({ table }) => table)).map(([table, found = []]) => [
      table,
      found.map(({ column }) => column),
    ]),
  );
}

async function move(
  db: Database,
  table: string,
  columns: readonly string[],
  { from, to, at }: { from: Date; to: Date; at: Date },
): Promise<void> {
  const start = new Date(from.getTime() - slackMs);
  const end = new Date(to.getTime() + slackMs);
  const isStamped = (column: string) => `"${column}" BETWEEN $1::timestamptz AND $2::timestamptz`;
  const moved = columns.map(
    (column) => `"${column}" = CASE WHEN ${isStamped(column)}
      THEN $3::timestamptz + ("${column}" - $1::timestamptz) * ${stretch} ELSE "${column}" END`,
  );
  await db.$executeRawUnsafe(
    `UPDATE "${table}" SET ${moved.join(", ")} WHERE ${columns.map(isStamped).join(" OR ")}`,
    start,
    end,
    at,
  );
}
