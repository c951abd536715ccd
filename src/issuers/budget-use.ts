import { Prisma } from "#gen/prisma/client.ts";
import type { Database } from "../platform/database.ts";
import { type Budget, budgetWindows } from "./budget.ts";

/** How much of one limit is used. */
export interface BudgetUse {
  kind: "orders" | "domain" | "names";
  /** The registered domain, or the names with spaces between; empty for orders. */
  subject: string;
  used: number;
  /** 0: no bound. */
  limit: number;
  /** When there is room again; null: there is. */
  freeAt: Date | null;
}

/** So many domains and sets of names are shown, the fullest. */
const mostSubjects = 20;

/** How much of its budget an issuer has used: the orders first, then domains and sets of names, the fullest first. */
export async function budgetUse(
  db: Database,
  issuerId: string,
  { account, orders, perDomain, perNameSet }: Budget,
  now: Date,
): Promise<BudgetUse[]> {
  async function count(
    kind: BudgetUse["kind"],
    subject: Prisma.Sql,
    limit: number,
    windowMs: number,
  ): Promise<BudgetUse[]> {
    const since = new Date(now.getTime() - windowMs);
    const counted = Prisma.sql`
      SELECT key_id, id, placed_at, unnest(${subject}) AS subject FROM placed_orders
      WHERE issuer_id = ${issuerId} AND account = ${account} AND placed_at > ${since}`;
    const placed =
      kind === "orders"
        ? Prisma.sql`SELECT subject, placed_at AS at FROM (${counted}) one`
        : Prisma.sql`
          SELECT subject, max(placed_at) AS at FROM (${counted} AND NOT is_replacement AND NOT is_void) one
          GROUP BY subject, key_id`;
    const rows = await db.$queryRaw<{ subject: string; used: number; last: Date | null }[]>`
      SELECT subject, count(*)::int AS used, (array_agg(at ORDER BY at DESC))[${Math.max(limit, 1)}::int] AS last
      FROM (${placed}) placed GROUP BY subject ORDER BY used DESC, subject LIMIT ${mostSubjects}`;
    return rows.map(({ subject: name, used, last }) => ({
      kind,
      subject: name,
      used,
      limit,
      freeAt: limit > 0 && last ? new Date(last.getTime() + windowMs) : null,
    }));
  }

  const [placed] = await count("orders", Prisma.sql`ARRAY['']`, orders, budgetWindows.orders);
  return [
    placed ?? { kind: "orders", subject: "", used: 0, limit: orders, freeAt: null },
    ...(await count("domain", Prisma.sql`domains`, perDomain, budgetWindows.certificates)),
    ...(await count("names", Prisma.sql`ARRAY[name_set]`, perNameSet, budgetWindows.certificates)),
  ];
}
