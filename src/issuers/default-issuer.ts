import type { Database, Transaction } from "../platform/database.ts";

/** The issuer that exists from the first start. */
export const defaultIssuerId = "iss-local";

export async function ensureDefaultIssuer(db: Database | Transaction): Promise<void> {
  await db.$executeRaw`
    INSERT INTO issuers (id, name, kind, config) VALUES (${defaultIssuerId}, 'Local CA', 'local-ca', '{}')
    ON CONFLICT (id) DO NOTHING`;
}
