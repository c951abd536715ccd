import type { Actor } from "../audit/record.ts";
import { conflict, notFound, unavailable } from "../platform/errors.ts";
import type { AccountDescription } from "./account.ts";
import { type Accounts, IssuerError, type IssuerTools } from "./issuer.ts";
import { openConfig } from "./manage.ts";
import type { IssuerTestDeps } from "./test-issuer.ts";
import { issuerTools } from "./tools.ts";

const never = new AbortController().signal;

/** The account that an issuer has at its CA; null: none is registered, or its kind has none. Throws NotFound. */
export async function issuerAccountOf(deps: IssuerTestDeps, id: string): Promise<AccountDescription | null> {
  const row = await deps.db.issuer.findUnique({ where: { id } });
  if (!row) throw notFound("issuer", id);
  return (await deps.issuerKinds.get(row.kind)?.accounts?.describe(issuerTools(deps, id, never))) ?? null;
}

/** Has the CA know an issuer's account by a new key. Throws FailedPrecondition, and Unavailable where the CA does not answer. */
export async function changeAccountKey(
  deps: IssuerTestDeps,
  actor: Actor,
  id: string,
  signal: AbortSignal,
): Promise<AccountDescription | null> {
  await withAccounts(deps, { id, actor, signal }, ({ accounts, config, tools }) =>
    accounts.changeKey(config, tools),
  );
  return issuerAccountOf(deps, id);
}

/** Has the CA close an issuer's account. Throws FailedPrecondition, and Unavailable where the CA does not answer. */
export async function closeAccount(
  deps: IssuerTestDeps,
  actor: Actor,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await withAccounts(deps, { id, actor, signal }, ({ accounts, config, tools }) =>
    accounts.deactivate(config, tools),
  );
}

async function withAccounts(
  deps: IssuerTestDeps,
  { id, actor, signal }: { id: string; actor: Actor; signal: AbortSignal },
  perform: (its: { accounts: Accounts; config: unknown; tools: IssuerTools }) => Promise<void>,
): Promise<void> {
  const row = await deps.db.issuer.findUnique({ where: { id } });
  if (!row) throw notFound("issuer", id);
  const accounts = deps.issuerKinds.get(row.kind)?.accounts;
  if (!accounts) throw conflict("NO_ACCOUNT", `issuers of the kind ${row.kind} have no account at a CA`);
  const config = openConfig(deps.sealer, row);
  try {
    await perform({ accounts, config, tools: issuerTools(deps, id, signal, actor) });
  } catch (error) {
    if (!(error instanceof IssuerError)) throw error;
    if (error.failureClass === "Network" || error.failureClass === "RateLimited")
      throw unavailable(error.message);
    throw conflict("ACCOUNT_REFUSED", error.message);
  }
}
