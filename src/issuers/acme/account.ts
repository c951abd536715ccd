import { generateKeyPairSync } from "node:crypto";
import type { IssuerTools } from "../issuer.ts";
import { IssuerError } from "../issuer.ts";
import type { AcmeConfig } from "./config.ts";
import { type AcmeConnection, connectAcme } from "./connection.ts";
import { AcmeFailure, issuerError } from "./problem.ts";

/** An issuer's account at its CA, sealed in the database. */
interface Account {
  keyPem: string;
  directoryUrl: string;
  /** Empty until the CA has registered it. */
  url: string;
  contactEmails: string[];
}

/**
 * A connection under the issuer's own account, which is made and registered where there is none. Its key is committed before it
 * is registered: after a crash the CA finds the same account by it.
 */
export async function openAccount(
  config: AcmeConfig,
  tools: Pick<IssuerTools, "account" | "egress" | "signal">,
): Promise<AcmeConnection> {
  const account = await accountOf(config, tools);
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
    await tools.account.write({
      ...account,
      url: connection.client.getAccountUrl(),
      contactEmails: contacts,
    });
  } catch (error) {
    if (isForgotten(error)) await forgetAccount(tools);
    throw issuerError("account", error);
  }
  return connection;
}

/** The CA knows the account no more; the next attempt registers its key again. */
export async function forgetAccount({ account }: Pick<IssuerTools, "account">): Promise<void> {
  const kept = await account.read();
  if (kept) await account.write({ ...kept, url: "" });
}

export function isForgotten(error: unknown): boolean {
  return error instanceof AcmeFailure && error.problem.type === "accountDoesNotExist";
}

async function accountOf(
  { directory_url: directoryUrl }: AcmeConfig,
  { account }: Pick<IssuerTools, "account">,
): Promise<Account> {
  const kept = (await account.read()) as Account | null;
  if (kept?.directoryUrl === directoryUrl) return kept;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const made = { keyPem, directoryUrl, url: "", contactEmails: [] };
  // Of two processes that make one, both go on with the first.
  return (await (kept ? account.write(made) : account.create(made))) as unknown as Account;
}
