import type { Transaction } from "../platform/database.ts";

/** An agent that is not retired, or restored, before the transaction ends. Null: there is none. */
export async function holdAgent(tx: Transaction, id: string): Promise<{ retiredAt: Date | null } | null> {
  // The lock that a row which refers to it takes: what retires it waits, and then sees that row.
  const [agent] = await tx.$queryRaw<{ retiredAt: Date | null }[]>`
    SELECT retired_at AS "retiredAt" FROM agents WHERE id = ${id} FOR KEY SHARE`;
  return agent ?? null;
}
