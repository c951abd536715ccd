import type { JsonObject } from "@bufbuild/protobuf";
import { type Actor, recordAudit } from "../audit/record.ts";
import { requireReachable } from "../connectors/destinations.ts";
import { readWanted } from "../connectors/secrets.ts";
import { invalid, notFound } from "../platform/errors.ts";
import { IssuerError } from "./issuer.ts";
import { type IssuerDeps, kindOf, openConfig } from "./manage.ts";
import { issuerTools, type ToolDeps } from "./tools.ts";

export interface IssuerTestDeps extends IssuerDeps, ToolDeps {}

/** Whether the CA would sign, and what it says. */
export interface IssuerTest {
  ok: boolean;
  message: string;
}

/** Tests an issuer that is saved, enabled or not. */
export async function testIssuer(
  deps: IssuerTestDeps,
  actor: Actor,
  id: string,
  signal: AbortSignal,
): Promise<IssuerTest> {
  const row = await deps.db.issuer.findUnique({ where: { id } });
  if (!row) throw notFound("issuer", id);
  return ask(deps, actor, { kind: row.kind, id, config: openConfig(deps.sealer, row) }, signal);
}

/** Tests a configuration that is not saved; masks stand for the secrets of an issuer that is. */
export async function testIssuerConfig(
  deps: IssuerTestDeps,
  actor: Actor,
  wanted: { kind: string; config: JsonObject; issuerId: string },
  signal: AbortSignal,
): Promise<IssuerTest> {
  const { kind, issuerId: id } = wanted;
  const issuer = kindOf(deps.issuerKinds, kind);
  const row = id === "" ? null : await deps.db.issuer.findUnique({ where: { id } });
  if (id !== "" && row?.kind !== kind)
    throw invalid({ field: "issuer_id", description: `there is no ${kind} issuer ${id}` });
  const config = readWanted(issuer.config, wanted.config, row && openConfig(deps.sealer, row));
  requireReachable(deps.egress, issuer.config, config);
  return ask(deps, actor, { kind, id, config }, signal);
}

async function ask(
  deps: IssuerTestDeps,
  actor: Actor,
  { kind, id, config }: { kind: string; id: string; config: JsonObject },
  signal: AbortSignal,
): Promise<IssuerTest> {
  const { db, issuerKinds } = deps;
  const tools = issuerTools(deps, id, signal);
  const answer = await kindOf(issuerKinds, kind)
    .test(config, tools)
    .then(
      (message) => ({ ok: true, message }),
      (error: unknown) => {
        if (error instanceof IssuerError) return { ok: false, message: error.message };
        throw error;
      },
    );
  await recordAudit(db, actor, {
    action: "issuer_tested",
    resourceType: "issuer",
    resourceId: id || kind,
    details: { kind, ok: answer.ok, message: answer.message },
  });
  return answer;
}
