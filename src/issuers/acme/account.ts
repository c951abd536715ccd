import { generateKeyPairSync } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { IssuerError, type IssuerTools } from "../issuer.ts";
import type { AcmeConfig } from "./config.ts";
import { type AcmeConnection, connectAcme } from "./connection.ts";
import { AcmeFailure, issuerError } from "./problem.ts";

/** An issuer's account at its CA, sealed in the database. */
export interface Account {
  keyPem: string;
  /** When the key was made. */
  keyMadeAt?: string;
  directoryUrl: string;
  /** Empty until the CA has registered it. */
  url: string;
  contactEmails: string[];
  /** The key that the CA is asked to know the account by instead: from then on it knows it by one of the two. */
  next?: { keyPem: string; keyMadeAt: string };
  /** The CA is asked to close it. */
  isDeactivating?: boolean;
}

export type AccountTools = Pick<IssuerTools, "account" | "egress" | "signal" | "clock">;

/**
 * A connection under the issuer's own account, which is made and registered where there is none. Its key is committed before it
 * is registered: after a crash the CA finds the same account by it.
 */
export async function openAccount(config: AcmeConfig, tools: AccountTools): Promise<AcmeConnection> {
  const account = await settledAccount(config, await accountOf(config, tools), tools);
  if (account.isDeactivating)
    throw new IssuerError(
      "account",
      "the account is being closed: close it once more, and the next order registers another",
      "Configuration",
    );
  const connection = await connectAcme(config, account, tools);
  const contacts = [...config.contact_emails].sort();
  if (account.url !== "" && contacts.join() === account.contactEmails.join()) return connection;
  try {
    const { meta } = await connection.directory();
    if (meta?.termsOfService && !config.terms_of_service_agreed)
      throw new IssuerError(
        "account",
        `the CA's terms of service have to be agreed to: read ${meta.termsOfService} and set terms_of_service_agreed`,
        "Configuration",
      );
    const contact = contacts.map((email) => `mailto:${email}`);
    if (account.url === "")
      await connection.client.createAccount({
        termsOfServiceAgreed: config.terms_of_service_agreed,
        contact,
      });
    else await connection.client.updateAccount({ contact });
    const url = connection.client.getAccountUrl();
    await changeAccount(tools, account, (kept) => ({ ...kept, url, contactEmails: contacts }));
  } catch (error) {
    throw await accountFailure("account", error, connection, tools);
  }
  return connection;
}

/**
 * What a call under the account means that failed. Where the account's key is changed meanwhile, the next attempt has the new one;
 * an account that the CA knows no more is registered again then.
 */
export async function accountFailure(
  step: string,
  error: unknown,
  { keyPem }: Pick<AcmeConnection, "keyPem">,
  tools: AccountTools,
): Promise<unknown> {
  const { type } = error instanceof AcmeFailure ? error.problem : { type: "" };
  if (!["accountDoesNotExist", "malformed", "unauthorized"].includes(type)) return issuerError(step, error);
  const kept = await readAccount(tools);
  if (kept && (kept.keyPem !== keyPem || kept.next))
    return new IssuerError(step, "the key of the account is changed at this moment", "Network");
  if (type === "accountDoesNotExist" && kept)
    await changeAccount(tools, kept, (account) => ({ ...account, url: "" }));
  return issuerError(step, error);
}

/**
 * The account with the key that the CA knows it by, where a change of it was begun whose end is not known. While the CA knows it by
 * the old one, that is left open: whoever changes it may be at it.
 */
export async function settledAccount(
  config: AcmeConfig,
  account: Account,
  tools: AccountTools,
): Promise<Account> {
  const { next } = account;
  if (!next || !(await isKnownBy(config, next.keyPem, tools))) return account;
  const settled = { ...account, keyPem: next.keyPem, keyMadeAt: next.keyMadeAt };
  delete settled.next;
  await tools.account.change(
    (kept) => ((kept as Account | null)?.next?.keyPem === next.keyPem ? asJson(settled) : null),
    { action: "issuer_account_key_changed", details: { account_url: account.url } },
  );
  return settled;
}

/** Whether the CA has an account of this key. */
async function isKnownBy(config: AcmeConfig, keyPem: string, tools: AccountTools): Promise<boolean> {
  const { client } = await connectAcme(config, { keyPem }, tools);
  try {
    await client.createAccount({ onlyReturnExisting: true });
    return true;
  } catch (error) {
    if (error instanceof AcmeFailure && error.problem.type === "accountDoesNotExist") return false;
    throw issuerError("account", error);
  }
}

/** The account as it is kept; null: there is none. */
export async function readAccount({ account }: Pick<AccountTools, "account">): Promise<Account | null> {
  return (await account.read()) as Account | null;
}

/** Changes the account unless its key is another by now. */
async function changeAccount(
  tools: AccountTools,
  { keyPem }: Account,
  make: (kept: Account) => Account,
): Promise<void> {
  await tools.account.change((before) => {
    const kept = before as Account | null;
    return kept?.keyPem === keyPem ? asJson(make(kept)) : null;
  });
}

async function accountOf({ directory_url: directoryUrl }: AcmeConfig, tools: AccountTools): Promise<Account> {
  const made = { ...newKey(tools), directoryUrl, url: "", contactEmails: [] };
  // Of two processes that make one, both go on with the first.
  const kept = await tools.account.change((before) =>
    (before as Account | null)?.directoryUrl === directoryUrl ? null : made,
  );
  return (kept ?? made) as Account;
}

/** A key for an account, and when it was made. */
export function newKey({ clock }: Pick<AccountTools, "clock">): { keyPem: string; keyMadeAt: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { keyPem, keyMadeAt: clock().toISOString() };
}

/** The form that is stored. */
export function asJson(account: Account): JsonObject {
  return { ...account } as unknown as JsonObject;
}
