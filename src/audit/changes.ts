import type { JsonObject } from "@bufbuild/protobuf";
import { Prisma } from "#gen/prisma/client.ts";
import { maskSecrets } from "../connectors/secrets.ts";
import type { Transaction } from "../platform/database.ts";
import { type Actor, type Detail, recordAudit } from "./record.ts";

type Fields = Record<string, Detail>;

/** A row that is about to be changed. */
export interface ChangedRow {
  /** As the audit says it: "renewal_policy". */
  what: string;
  table: string;
  id: string;
  /** What belongs to the resource and lies in other tables. */
  related?: () => Promise<Fields>;
}

/** Changes of themselves: they say nothing that the row does not. */
const ownTimes = ["updated_at"];

/** Makes a change of a row, and writes down each field that it changed, as it was and as it is. Secrets stay masked. */
export async function recordChange(
  tx: Transaction,
  actor: Actor,
  row: ChangedRow,
  change: () => Promise<unknown>,
): Promise<void> {
  const before = await fieldsOf(tx, row);
  await change();
  const after = await fieldsOf(tx, row);
  const changed = Object.keys(after).filter(
    (name) => !ownTimes.includes(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  const only = (fields: Fields) => Object.fromEntries(changed.map((name) => [name, fields[name] ?? null]));
  await recordAudit(tx, actor, {
    action: `${row.what}_updated`,
    resourceType: row.what,
    resourceId: row.id,
    details: { before: only(before), after: only(after) },
  });
}

async function fieldsOf(tx: Transaction, { table, id, related }: ChangedRow): Promise<Fields> {
  const [found] = await tx.$queryRaw<{ fields: Fields }[]>`
    SELECT to_jsonb(changed) AS fields FROM ${Prisma.raw(table)} changed WHERE id = ${id}`;
  const { config, ...fields } = found?.fields ?? {};
  return {
    ...fields,
    ...(config === undefined ? {} : { config: maskSecrets(config as JsonObject) as Detail }),
    ...(await related?.()),
  };
}
