import type { JsonObject } from "@bufbuild/protobuf";
import { type Actor, recordAudit } from "../audit/record.ts";
import type { Database } from "../platform/database.ts";
import type { Sealer } from "../platform/seal.ts";

/** What an issuer remembers of itself at its CA, sealed. One that is not saved has none and keeps none. */
export interface IssuerAccount {
  read(): Promise<JsonObject | null>;
  /**
   * Makes another one of it as it is now, which nobody else changes meanwhile, and commits that with what is written down of it;
   * null leaves it. Returns what it is then.
   */
  change(
    make: (account: JsonObject | null) => JsonObject | null,
    audit?: AccountAudit,
  ): Promise<JsonObject | null>;
}

/** What is written down of a change. */
export interface AccountAudit {
  action: string;
  details: Record<string, string>;
}

/** An account at a CA, as people see it. */
export interface AccountDescription {
  url: string;
  contactEmails: string[];
  /** SHA-256 of its public key by RFC 7638, base64url. */
  keyThumbprint: string;
  /** Null: before this was kept. */
  keyMadeAt: Date | null;
  /** A change of its key was begun, and is not known to be over. */
  isKeyChanging: boolean;
  isDeactivating: boolean;
}

/** An issuer's account, sealed in its row. */
export function issuerAccount(
  { db, sealer, clock }: { db: Database; sealer: Sealer; clock: () => Date },
  id: string,
  actor: Actor,
): IssuerAccount {
  const place = { table: "issuer_accounts", id, field: "sealed_account" };
  const seal = (account: JsonObject) =>
    new Uint8Array(sealer.seal(place, Buffer.from(JSON.stringify(account))));
  const open = (sealed: Uint8Array) => JSON.parse(sealer.open(place, sealed).toString()) as JsonObject;

  return {
    async read() {
      const row = id === "" ? null : await db.issuerAccount.findUnique({ where: { id } });
      return row && open(row.sealedAccount);
    },
    async change(make, audit) {
      if (id === "") return make(null);
      return db.$transaction(async (tx) => {
        // Held by the issuer's row, because there may be no account yet.
        await tx.$queryRaw`SELECT 1 FROM issuers WHERE id = ${id} FOR NO KEY UPDATE`;
        const row = await tx.issuerAccount.findUnique({ where: { id } });
        const before = row && open(row.sealedAccount);
        const after = make(before);
        if (!after) return before;
        const data = { sealedAccount: seal(after), updatedAt: clock() };
        await tx.issuerAccount.upsert({ where: { id }, create: { id, ...data }, update: data });
        if (audit) await recordAudit(tx, actor, { ...audit, resourceType: "issuer", resourceId: id });
        return after;
      });
    },
  };
}
