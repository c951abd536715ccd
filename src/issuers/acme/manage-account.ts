import { createHash, createPublicKey } from "node:crypto";
import { type Accounts, IssuerError } from "../issuer.ts";
import { type Account, type AccountTools, asJson, newKey, readAccount, settledAccount } from "./account.ts";
import type { AcmeConfig } from "./config.ts";
import { connectAcme } from "./connection.ts";
import { AcmeFailure, issuerError } from "./problem.ts";

/** An issuer's account at its CA: its key changed (RFC 8555, 7.3.5), and closed (7.3.6). */
export const acmeAccounts: Accounts<AcmeConfig> = {
  async describe(tools) {
    const account = await readAccount(tools);
    if (!account || account.url === "") return null;
    const { url, contactEmails, keyPem, keyMadeAt, next, isDeactivating = false } = account;
    return {
      url,
      contactEmails,
      keyThumbprint: thumbprintOf(keyPem),
      keyMadeAt: keyMadeAt === undefined ? null : new Date(keyMadeAt),
      isKeyChanging: next !== undefined,
      isDeactivating,
    };
  },

  /** The new key is committed before the CA is asked: whatever breaks then, the CA knows the account by one of the two. */
  async changeKey(config, tools) {
    const known = await registeredAccount(config, tools);
    const before = await settledAccount(config, known, tools);
    // A change that was begun has turned out to be done.
    if (known.next && !before.next) return;
    const made = newKey(tools);
    const begun = (await tools.account.change(
      (kept) =>
        (kept as Account | null)?.keyPem === before.keyPem && !kept?.["next"]
          ? { ...kept, next: made }
          : null,
      { action: "issuer_account_key_change_begun", details: { account_url: known.url } },
    )) as unknown as Account;
    // Another change is over meanwhile.
    if (!begun.next) return;
    const { keyPem } = begun.next;
    try {
      const connection = await connectAcme(config, begun, tools);
      await connection.changeKey(await connectAcme(config, { keyPem }, tools));
    } catch (error) {
      if (!(error instanceof AcmeFailure) || error.status >= 500) throw issuerError("account", error);
      // It had done it before, or another call does it yet: so the new key stays, and is what the next try asks for.
      const settled = await settledAccount(config, begun, tools);
      if (settled.next) throw issuerError("account", error);
      return;
    }
    await settledAccount(config, begun, tools);
  },

  async deactivate(config, tools) {
    const account = await settledAccount(config, await registeredAccount(config, tools), tools);
    const { url, directoryUrl } = account;
    const begun = (await tools.account.change((kept) => kept && { ...kept, isDeactivating: true }, {
      action: "issuer_account_closing",
      details: { account_url: url },
    })) as unknown as Account;
    try {
      const { client } = await connectAcme(config, begun, tools);
      await client.updateAccount({ status: "deactivated" });
    } catch (error) {
      // It was closed before.
      if (
        !(
          error instanceof AcmeFailure && ["unauthorized", "accountDoesNotExist"].includes(error.problem.type)
        )
      )
        throw issuerError("account", error);
    }
    const none: Account = { ...newKey(tools), directoryUrl, url: "", contactEmails: [] };
    await tools.account.change((kept) => (kept?.["url"] === url ? asJson(none) : null), {
      action: "issuer_account_closed",
      details: { account_url: url },
    });
  },
};

async function registeredAccount(config: AcmeConfig, tools: AccountTools): Promise<Account> {
  const account = await readAccount(tools);
  if (account?.directoryUrl === config.directory_url && account.url !== "") return account;
  throw new IssuerError(
    "account",
    "no account is registered: the first order registers one",
    "Configuration",
  );
}

/** RFC 7638, of a key on an elliptic curve. */
function thumbprintOf(keyPem: string): string {
  const { crv, kty, x, y } = createPublicKey(keyPem).export({ format: "jwk" });
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
}
