import type { Transaction } from "../platform/database.ts";

/** Keeps agents from being retired or restored before the transaction ends. */
export async function holdAgents(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM agents WHERE id = ANY(${[...ids]}::text[]) ORDER BY id FOR KEY SHARE`;
}

/** One of them; null: there is none. */
export async function holdAgent(tx: Transaction, id: string): Promise<{ retiredAt: Date | null } | null> {
  // The lock that a row which refers to it takes: what retires it waits, and then sees that row.
  const [agent] = await tx.$queryRaw<{ retiredAt: Date | null }[]>`
    SELECT retired_at AS "retiredAt" FROM agents WHERE id = ${id} FOR KEY SHARE`;
  return agent ?? null;
}
