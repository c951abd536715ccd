import type { ControlPlane } from "./fixtures.ts";

/** Makes the database refuse such rows until what is returned is disposed of: a write that fails at a place of choice. */
export async function refuseRows(
  { db }: ControlPlane,
  table: "audit_events" | "certificate_versions",
  condition: string,
): Promise<AsyncDisposable> {
  await db.$executeRawUnsafe(
    `ALTER TABLE ${table} ADD CONSTRAINT refused CHECK (NOT (${condition})) NOT VALID`,
  );
  return {
    async [Symbol.asyncDispose]() {
      await db.$executeRawUnsafe(`ALTER TABLE ${table} DROP CONSTRAINT refused`);
    },
  };
}
