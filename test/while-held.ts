import type { Database, Transaction } from "../src/platform/database.ts";
import type { ControlPlane } from "./fixtures.ts";

/**
 * Makes a change and starts a call before the change is committed: it is, once the call waits for one of its locks, or has
 * ended without. The call, which then sees the change.
 */
export async function whileHeld<T>(
  { db }: ControlPlane,
  change: (tx: Transaction) => Promise<unknown>,
  call: () => Promise<T>,
): Promise<T> {
  let called: Promise<T> | undefined;
  await db.$transaction(async (tx) => {
    await change(tx);
    called ??= call();
    let hasEnded = false;
    const ended = () => {
      hasEnded = true;
    };
    called.then(ended, ended);
    while (!hasEnded && !(await isAnyWaiting(db))) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  if (!called) throw new Error("the call was not made");
  return called;
}

/** Asked outside of the transaction, which would see who waited when it first looked. */
async function isAnyWaiting(db: Database): Promise<boolean> {
  const [row] = await db.$queryRaw<[{ waits: boolean }]>`
    SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') AS waits`;
  return row.waits;
}

/** Archives a row as the API does, as part of a transaction. */
export async function archiveRaw(
  tx: Transaction,
  table: "deployment_targets" | "owners" | "managed_certificates",
  id: string,
): Promise<void> {
  await tx.$queryRawUnsafe(`SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`, id);
  await tx.$executeRawUnsafe(`UPDATE ${table} SET archived_at = now() WHERE id = $1`, id);
}
