import { Prisma } from "#gen/prisma/client.ts";
import type { Database, Transaction } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { type Budget, budgetWindows, type OrderBudget, type OrderPlace } from "./budget.ts";
import { IssuerError } from "./issuer.ts";

/** An issuer's budget, counted in the database: every replica counts the same, and what a killed process ordered is counted. */
export function orderBudget(db: Database, issuerId: string, clock: () => Date): OrderBudget {
  return {
    async take(place, budget) {
      const now = clock();
      const spent = await db.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT FROM issuers WHERE id = ${issuerId} FOR NO KEY UPDATE`;
        const over = await spentLimit(tx, issuerId, place, budget, now);
        if (over) return over;
        const forgotten = new Date(now.getTime() - budgetWindows.certificates);
        await tx.placedOrder.deleteMany({ where: { issuerId, placedAt: { lte: forgotten } } });
        const { account } = budget;
        const data = { ...place, domains: [...place.domains], issuerId, account, placedAt: now };
        await tx.placedOrder.create({ data: { id: newId("plo"), ...data } });
        return null;
      });
      if (!spent) return;
      const { words, freeAt } = spent;
      throw new IssuerError(
        "budget",
        `the issuer's budget is spent: ${words}; there is room again at ${freeAt.toISOString()}`,
        "RateLimited",
        freeAt.getTime() - now.getTime(),
      );
    },
    async release(keyId) {
      await db.placedOrder.updateMany({ where: { issuerId, keyId }, data: { isVoid: true } });
    },
  };
}

/** Which limit leaves no room, and until when. */
async function spentLimit(
  tx: Transaction,
  issuerId: string,
  { keyId, domains, nameSet, isReplacement }: OrderPlace,
  { account, orders, perDomain, perNameSet }: Budget,
  now: Date,
): Promise<{ words: string; freeAt: Date } | null> {
  const ordersAt = Prisma.sql`
    SELECT placed_at AS at FROM placed_orders
    WHERE issuer_id = ${issuerId} AND account = ${account} AND placed_at > ${since(now, budgetWindows.orders)}`;
  // An order that is placed again for the same key leads to one certificate.
  const certificatesAt = (which: Prisma.Sql) => Prisma.sql`
    SELECT max(placed_at) AS at FROM placed_orders
    WHERE issuer_id = ${issuerId} AND account = ${account} AND placed_at > ${since(now, budgetWindows.certificates)}
      AND NOT is_replacement AND NOT is_void AND key_id <> ${keyId} AND ${which} GROUP BY key_id`;
  const limits = [
    { words: `${orders} orders in 3 hours`, limit: orders, at: ordersAt, windowMs: budgetWindows.orders },
    ...domains.map((domain) => ({
      words: `${perDomain} certificates for ${domain} in 7 days`,
      limit: perDomain,
      at: certificatesAt(Prisma.sql`domains @> ARRAY[${domain}]`),
      windowMs: budgetWindows.certificates,
    })),
    {
      words: `${perNameSet} certificates for exactly ${nameSet} in 7 days`,
      limit: perNameSet,
      at: certificatesAt(Prisma.sql`name_set = ${nameSet}`),
      windowMs: budgetWindows.certificates,
    },
  ];
  let spent: { words: string; freeAt: Date } | null = null;
  for (const { words, limit, at, windowMs } of isReplacement ? limits.slice(0, 1) : limits) {
    if (limit === 0) continue;
    // Once the one that took the limit's last place is forgotten there is room.
    const [last] = await tx.$queryRaw<{ at: Date }[]>`
      SELECT at FROM (${at}) placed ORDER BY at DESC OFFSET ${limit - 1} LIMIT 1`;
    if (!last) continue;
    const freeAt = new Date(last.at.getTime() + windowMs);
    if (!spent || freeAt > spent.freeAt) spent = { words, freeAt };
  }
  return spent;
}

function since(now: Date, windowMs: number): Date {
  return new Date(now.getTime() - windowMs);
}
