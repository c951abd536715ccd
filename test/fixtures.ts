import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type pg from "pg";
import { pino } from "pino";
import { ReportResultRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import { ErrorInfoSchema } from "#gen/certctl/v1/errors_pb.ts";
import type { CertificateVersion } from "#gen/prisma/client.ts";
import { registerAgent } from "../src/agents/register.ts";
import type { Actor } from "../src/audit/record.ts";
import { unrestricted } from "../src/auth/grants.ts";
import type { AgentPrincipal } from "../src/auth/principal.ts";
import type { Authorities } from "../src/authorities/authority.ts";
import { createIssuingAuthorities, type IssuingAuthorities } from "../src/authorities/issuing.ts";
import { openAuthorities } from "../src/authorities/store.ts";
import { acceptCsr } from "../src/certificates/accept-csr.ts";
import type { ReservedNames } from "../src/certificates/check-declaration.ts";
import { createCertificate, type Declaration } from "../src/certificates/declare.ts";
import type { CertificateFilter } from "../src/certificates/filter.ts";
import { issue } from "../src/certificates/issue.ts";
import { renewCertificate } from "../src/certificates/renew.ts";
import type { AskAgent } from "../src/challenges/ask-agent.ts";
import type { ServerCommands } from "../src/issuers/commands.ts";
import { IssuerError } from "../src/issuers/issuer.ts";
import type { IssuerKinds } from "../src/issuers/manage.ts";
import { issuerByKind } from "../src/issuers/registry.ts";
import { type Claimed, claim } from "../src/jobs/lease.ts";
import { migrateQueue } from "../src/jobs/queue.ts";
import { reportResult } from "../src/jobs/report.ts";
import type { JobFilter } from "../src/jobs/view.ts";
import { type Database, openDatabase } from "../src/platform/database.ts";
import { createEgress, type Egress } from "../src/platform/egress.ts";
import { newId } from "../src/platform/ids.ts";
import type { ListRequest } from "../src/platform/listing.ts";
import { createSealer, type Sealer } from "../src/platform/seal.ts";
import { serverCommands } from "../src/server-commands/server-commands.ts";
import { makeCsr } from "../src/x509/csr.ts";
import type { Signer } from "../src/x509/keys.ts";
import { parseSan } from "../src/x509/names.ts";
import { pem } from "../src/x509/pem.ts";
import { createDatabase } from "./database.ts";

export const operator: Actor = {
  type: "APIKey",
  id: "ak-operator",
  requestId: "req-1",
  grants: unrestricted,
};
export const silent = pino({ level: "silent" });
export const dayMs = 86_400_000;
export const hourMs = 3_600_000;

/** Everything of a control plane but its processes: a migrated database with its CAs, and a clock that tests move. */
export interface ControlPlane extends AsyncDisposable {
  db: Database;
  pool: pg.Pool;
  authorities: Authorities;
  issuing: IssuingAuthorities;
  sealer: Sealer;
  /** Loopback is allowed. */
  egress: Egress;
  /** Of a server.yaml that is not there. */
  commands: ServerCommands;
  issuerKinds: IssuerKinds;
  /** No agent is there. */
  askAgent: AskAgent;
  /** Business time; leases go by the database's own clock. */
  time: { now: Date };
  clock: () => Date;
  reserved: ReservedNames;
  log: typeof silent;
  identityHours: number;
}

export async function openControlPlane(
  sealer = createSealer(randomBytes(32)),
  { pkiUrl = null, now = "2030-06-01T12:00:00Z" }: { pkiUrl?: string | null; now?: string } = {},
): Promise<ControlPlane> {
  await using opening = new AsyncDisposableStack();
  const { url } = opening.use(await createDatabase());
  const { db, pool } = opening.use(openDatabase(url, () => {}));
  await migrateQueue(pool);
  const time = { now: new Date(now) };
  const authorities = await openAuthorities(db, sealer, time.now);
  const issuing = createIssuingAuthorities(db, sealer, pkiUrl);
  const parts = opening.move();
  return {
    db,
    pool,
    authorities,
    issuing,
    sealer,
    egress: createEgress(["127.0.0.0/8", "::1/128"]),
    commands: serverCommands("/nonexistent"),
    issuerKinds: issuerByKind,
    askAgent: async () => {
      throw new IssuerError("challenge", "no agent is there", "Network");
    },
    time,
    clock: () => time.now,
    reserved: { trustDomain: authorities.trustDomain, ownNames: ["certctl.example"], issuing },
    log: silent,
    identityHours: 24,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** An agent with an API key and an open session. */
export interface TestAgent {
  id: string;
  session: { agentId: string; epoch: number };
  caller: { principal: AgentPrincipal; actor: Actor };
}

export async function newAgent({ db }: ControlPlane, maxInFlight = 4): Promise<TestAgent> {
  const { agent, apiKey } = await registerAgent(db, operator, { id: "", name: "test" });
  const { id } = agent;
  await db.agent.update({ where: { id }, data: { sessionEpoch: 1, maxInFlight } });
  const keyId = apiKey.split("_", 1)[0] ?? "";
  return {
    id,
    session: { agentId: id, epoch: 1 },
    caller: {
      principal: { kind: "agent", id, credential: { kind: "api_key", id: keyId, notAfter: null } },
      actor: { type: "Agent", id, requestId: "req-2", grants: unrestricted },
    },
  };
}

export async function newTarget({ db }: ControlPlane, agent: TestAgent): Promise<string> {
  const id = newId("tgt");
  await db.target.create({ data: { id, name: id, kind: "files", agentId: agent.id, config: {} } });
  return id;
}

/** What an operator would write for a certificate of one name, under a name that is free. */
export function declaration(changes: Partial<Declaration> = {}): Declaration {
  return {
    name: newId("name"),
    commonName: "site.example",
    sans: [],
    issuerId: "",
    agentId: "",
    targetIds: [],
    keyAlgorithm: "ECDSA-P256",
    validitySeconds: 0,
    environment: "",
    ownerId: "",
    teamId: "",
    renewalPolicyId: "",
    tags: {},
    ...changes,
  };
}

/** The filter that chooses every live certificate. */
export const allCertificates: CertificateFilter = {
  ids: [],
  statuses: [],
  schedules: [],
  expiries: [],
  q: "",
  environments: [],
  ownerIds: [],
  teamIds: [],
  issuerIds: [],
  renewalPolicyIds: [],
  keyAlgorithms: [],
  agentIds: [],
  targetIds: [],
  issuingCas: [],
  problems: false,
  tags: [],
  expiresBefore: null,
  expiresAfter: null,
  archived: false,
};

export const allJobs: JobFilter = {
  certificateId: "",
  agentId: "",
  targetId: "",
  renewalId: "",
  parentJobId: "",
  statuses: [],
  types: [],
  failureClasses: [],
  q: "",
};

/** The beginning of a list in its own order. */
export const firstPage: ListRequest = { page: 0, perPage: 0, sort: "", cursor: "" };

export async function newCertificate(plane: ControlPlane, changes: Partial<Declaration>): Promise<string> {
  return createCertificate(plane, operator, "", declaration(changes));
}

/** A CSR over a new key, or over the one that is given. */
export function newCsr(
  names: readonly string[],
  { key = newKey(), commonName = "" }: { key?: Signer; commonName?: string } = {},
): { key: Signer; der: Buffer; csrPem: string } {
  const der = makeCsr(key, commonName, names.map(parseSan));
  return { key, der, csrPem: pem("CERTIFICATE REQUEST", der) };
}

export function newKey(namedCurve = "P-256"): KeyObject {
  return generateKeyPairSync("ec", { namedCurve }).privateKey;
}

/** The one job that is due for the agent. Fails when there is none, or more. */
export async function claimOne({ db, time }: ControlPlane, agent: TestAgent): Promise<Claimed> {
  const [claimed, second] = await claim(db, agent.session, time.now);
  if (!claimed || second) throw new Error(`agent ${agent.id} was to get exactly one job`);
  return claimed;
}

/** Renews a certificate and has its agent take the delivery. */
export async function openIssuance(
  plane: ControlPlane,
  agent: TestAgent,
  certificateId: string,
): Promise<Claimed> {
  await renewCertificate(plane, operator, certificateId);
  return claimOne(plane, agent);
}

/** Sends the CSR that the job wants. */
export async function submitCsr(
  { db }: ControlPlane,
  agent: TestAgent,
  { id, leaseId }: Claimed,
  csr = newCsr(["site.example"]),
): Promise<void> {
  await acceptCsr(db, agent.caller, { jobId: id, leaseId, csrPem: csr.csrPem });
}

/** From the renewal to the stored version. */
export async function issueVersion(
  plane: ControlPlane,
  agent: TestAgent,
  certificateId: string,
  csr = newCsr(["site.example"]),
): Promise<CertificateVersion> {
  const job = await openIssuance(plane, agent, certificateId);
  await submitCsr(plane, agent, job, csr);
  await issue(plane, job.id, new AbortController().signal);
  return plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId: job.id } });
}

/** Reports a result as the agent would. */
export async function report(
  { db, time }: ControlPlane,
  agent: TestAgent,
  { id, leaseId }: Claimed,
  result: NonNullable<MessageInitShape<typeof ReportResultRequestSchema>["result"]>,
): Promise<string> {
  const request = create(ReportResultRequestSchema, { jobId: id, leaseId, result });
  return (await reportResult(db, agent.caller.actor, request, time.now)).status;
}

export function succeeded(servedFingerprintSha256: string) {
  return { case: "succeeded" as const, value: { servedFingerprintSha256 } };
}

export function failed(retryable: boolean) {
  return { case: "failed" as const, value: { step: "reload", message: "it did not", retryable } };
}

/** Lets a lease run out: its end moves into the past of the database's clock. */
export async function endLease({ db }: ControlPlane, jobId: string): Promise<void> {
  await db.$executeRaw`UPDATE jobs SET lease_expires_at = now() - interval '1 second' WHERE id = ${jobId}`;
}

/** How a call was refused, in the words of the API. Fails when it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<{
  code: string;
  reason: string;
  message: string;
  fields: string[];
}> {
  const error = await call.then(
    () => new Error("the call was not refused"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw error;
  const [info] = error.findDetails(ErrorInfoSchema);
  return {
    code: Code[error.code] ?? "",
    reason: info?.reason ?? "",
    message: error.rawMessage,
    fields: (info?.violations ?? []).map(({ field }) => field),
  };
}
