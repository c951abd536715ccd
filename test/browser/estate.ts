import { type StagedSystem, stageSystem } from "../stage-system.ts";
import type { System } from "../system.ts";

/** A control plane with some of everything, made through its API by real agents and an nginx. */
export interface Estate extends AsyncDisposable {
  staged: StagedSystem;
  system: System;
  /** An id of each kind, by the name of its variable in test/browser/routes.test.ts. */
  ids: Record<EstateId, string>;
}

export type EstateId =
  | "certificate"
  | "version"
  | "job"
  | "operation"
  | "agent"
  | "target"
  | "issuer"
  | "authority"
  | "policy"
  | "owner"
  | "team"
  | "event";

export async function openEstate(): Promise<Estate> {
  await using opening = new AsyncDisposableStack();
  const staged = opening.use(await stageSystem());
  const { system, certificateId } = staged;

  async function make(path: string, body: unknown): Promise<string> {
    const answer = await system.rest("POST", `/api/v1/${path}`, body);
    if (answer.status >= 300)
      throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.id;
  }
  async function read(path: string) {
    return (await system.rest("GET", `/api/v1/${path}`)).body;
  }

  const team = await make("teams", { id: "t-payments", name: "Payments", email: "payments@example.test" });
  const owner = await make("owners", {
    id: "o-dana",
    name: "Dana",
    email: "dana@example.test",
    team_id: team,
  });
  const policy = await make("policies", {
    name: "No longer than 30 days",
    type: "CertificateLifetime",
    config: { max_days: 30 },
    severity: "Error",
  });
  await make("notifiers", {
    name: "Pager",
    kind: "webhook",
    config: { url: "https://localhost:9/hook", secret: "0123456789abcdef" },
  });
  await make("renewal-policies", { name: "Careful" });
  await make("api-keys", { name: "ci", role: "operator", expires_at: "2099-01-01T00:00:00Z" });
  const declared = await read(`certificates/${certificateId}`);
  await system.rest("PUT", `/api/v1/certificates/${certificateId}`, {
    ...declared,
    owner_id: owner,
    team_id: team,
    environment: "production",
  });
  const job = await system.renew(certificateId);
  // One that nobody works on, for an agent that never came.
  await make("agents", { id: "ag-away", name: "away" });
  await make("certificates", { name: "waiting", common_name: "waiting.example.test", agent_id: "ag-away" });
  const operation = await make("operations", { kind: "Renew", filter: { q: "web" } });
  const versions = await read(`certificates/${certificateId}/versions`);
  const events = await read("audit?per_page=1");
  const authorities = await read("authorities?issuer_id=iss-local");

  const kept = opening.move();
  return {
    staged,
    system,
    ids: {
      certificate: certificateId,
      version: versions.data[0].id,
      job: job.id,
      operation,
      agent: "ag-web",
      target: "tgt-web",
      issuer: "iss-local",
      authority: authorities.data[0].id,
      policy,
      owner,
      team,
      event: events.data[0].id,
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
