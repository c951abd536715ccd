import { type Actor, system } from "../audit/record.ts";
import type { IssuingAuthorities } from "../authorities/issuing.ts";
import type { Database } from "../platform/database.ts";
import type { Egress } from "../platform/egress.ts";
import type { Sealer } from "../platform/seal.ts";
import { issuerAccount } from "./account.ts";
import type { ServerCommands } from "./commands.ts";
import type { IssuerTools } from "./issuer.ts";

/** What whoever calls issuers needs to have. */
export interface ToolDeps {
  db: Database;
  sealer: Sealer;
  issuing: IssuingAuthorities;
  egress: Egress;
  commands: ServerCommands;
  clock: () => Date;
}

/** What certctl lends to an issuer, for what the actor does; an empty id: to one that is not saved. */
export function issuerTools(
  { db, sealer, issuing, egress, commands, clock }: ToolDeps,
  issuerId: string,
  signal: AbortSignal,
  actor: Actor = system,
): IssuerTools {
  const account = issuerAccount({ db, sealer, clock }, issuerId, actor);
  return { signal, clock, egress, commands, issuerId, issuing, account };
}
