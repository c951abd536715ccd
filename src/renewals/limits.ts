import { budgetWindows } from "../issuers/budget.ts";
import { type IssuerKinds, openConfig } from "../issuers/manage.ts";
import type { Database } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";

const dayMs = 86_400_000;

/** How many orders a day each issuer with a budget places at most, by name. */
export async function orderLimits(
  db: Database,
  { issuerKinds, sealer }: { issuerKinds: IssuerKinds; sealer: Sealer },
): Promise<{ name: string; perDay: number }[]> {
  const bounded = [...issuerKinds.values()].filter(({ budget }) => budget).map(({ kind }) => kind);
  const rows = await db.issuer.findMany({
    where: { kind: { in: bounded }, enabled: true, archivedAt: null },
    orderBy: [{ name: "asc" }, { id: "asc" }],
  });
  return rows.flatMap((row) => {
    const orders = issuerKinds.get(row.kind)?.budget?.(openConfig(sealer, row)).orders ?? 0;
    return orders > 0
      ? [{ name: row.name, perDay: Math.floor((orders * dayMs) / budgetWindows.orders) }]
      : [];
  });
}
