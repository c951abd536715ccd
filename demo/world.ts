import type { Pool } from "pg";
import { type AuditKey, openAuditKey } from "../src/audit/key.ts";
import type { Actor } from "../src/audit/record.ts";
import { unrestricted } from "../src/auth/grants.ts";
import type { Authorities } from "../src/authorities/authority.ts";
import { createIssuingAuthorities, type IssuingAuthorities } from "../src/authorities/issuing.ts";
import { openAuthorities } from "../src/authorities/store.ts";
import type { ReservedNames } from "../src/certificates/check-declaration.ts";
import type { AskAgent } from "../src/challenges/ask-agent.ts";
import type { ServerCommands } from "../src/issuers/commands.ts";
import { IssuerError } from "../src/issuers/issuer.ts";
import type { IssuerKinds } from "../src/issuers/manage.ts";
import { issuerByKind } from "../src/issuers/registry.ts";
import { migrateQueue } from "../src/jobs/queue.ts";
import { type Database, openDatabase } from "../src/platform/database.ts";
import type { Egress } from "../src/platform/egress.ts";
import type { Log } from "../src/platform/log.ts";
import { migrate } from "../src/platform/migrate.ts";
import type { Sealer } from "../src/platform/seal.ts";
import { serverCommands } from "../src/server-commands/server-commands.ts";
import { openPast, type Past } from "./past.ts";
import type { Place } from "./place.ts";

/** A control plane without its processes, whose clock stands in the past. */
export interface World extends AsyncDisposable {
  db: Database;
  pool: Pool;
  past: Past;
  clock: () => Date;
  sealer: Sealer;
  authorities: Authorities;
  auditKey: AuditKey;
  issuerKinds: IssuerKinds;
  issuing: IssuingAuthorities;
  reserved: ReservedNames;
  egress: Egress;
  commands: ServerCommands;
  /** Nobody is asked: the estate's agents are simulated. */
  askAgent: AskAgent;
  /** The API keys of the agents, by their ids. */
  agentKeys: Record<string, string>;
  log: Log;
}

/** Who did what an operator did. */
export function person(name: string): Actor {
  return { type: "APIKey", id: `ak-${name}`, requestId: `demo-${name}`, grants: unrestricted };
}

export async function openWorld(
  { url, sealer }: Place,
  egress: Egress,
  start: Date,
  log: Log,
): Promise<World> {
  await using opening = new AsyncDisposableStack();
  await migrate(url, { log });
  const { db, pool } = opening.use(openDatabase(url, () => {}));
  await migrateQueue(pool);
  const past = await openPast(db, start);
  const authorities = await openAuthorities(db, sealer, start);
  const issuing = createIssuingAuthorities(db, sealer, null);
  const parts = opening.move();
  return {
    db,
    pool,
    past,
    clock: () => past.time.now,
    sealer,
    authorities,
    auditKey: await openAuditKey(db, sealer),
    issuerKinds: issuerByKind,
    issuing,
    reserved: { trustDomain: authorities.trustDomain, ownNames: [], issuing },
    egress,
    commands: serverCommands("/nonexistent"),
    askAgent: async () => {
      throw new IssuerError("challenge", "no agent is there", "Network");
    },
    agentKeys: {},
    log,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
