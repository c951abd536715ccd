import type { JsonObject } from "@bufbuild/protobuf";
import type { Database } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";
import type { IssuerAccount } from "./issuer.ts";

/** An issuer's account, sealed in its row. An issuer without a row has none and makes none. */
export function issuerAccount(
  { db, sealer, clock }: { db: Database; sealer: Sealer; clock: () => Date },
  id: string,
): IssuerAccount {
  const place = { table: "issuer_accounts", id, field: "sealed_account" };
  const seal = (account: JsonObject) =>
    new Uint8Array(sealer.seal(place, Buffer.from(JSON.stringify(account))));

  async function read(): Promise<JsonObject | null> {
    const row = id === "" ? null : await db.issuerAccount.findUnique({ where: { id } });
    return row && (JSON.parse(sealer.open(place, row.sealedAccount).toString()) as JsonObject);
  }

  return {
    read,
    async create(account) {
      await db.$executeRaw`
        INSERT INTO issuer_accounts (id, sealed_account, updated_at) VALUES (${id}, ${seal(account)}, ${clock()})
        ON CONFLICT DO NOTHING`;
      return (await read()) ?? account;
    },
    async write(account) {
      const data = { sealedAccount: seal(account), updatedAt: clock() };
      await db.issuerAccount.upsert({ where: { id }, create: { id, ...data }, update: data });
      return account;
    },
  };
}
