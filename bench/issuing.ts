import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import { pino } from "pino";
import { SubmitCsrRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import { registerAgent } from "../src/agents/register.ts";
import { createSessions } from "../src/agents/sessions.ts";
import { agentWorkService } from "../src/agents/work-rpc.ts";
import { system } from "../src/audit/record.ts";
import { type AgentPrincipal, principalKey } from "../src/auth/principal.ts";
import { createIssuingAuthorities } from "../src/authorities/issuing.ts";
import { openAuthorities } from "../src/authorities/store.ts";
import { issue } from "../src/certificates/issue.ts";
import { createSigning } from "../src/certificates/signing.ts";
import { createAskAgent } from "../src/challenges/ask-agent.ts";
import { defaultIssuerId } from "../src/issuers/default-issuer.ts";
import { issuerByKind } from "../src/issuers/registry.ts";
import { migrateQueue, startQueue } from "../src/jobs/queue.ts";
import { openBus } from "../src/platform/bus.ts";
import { openDatabase } from "../src/platform/database.ts";
import { createEgress } from "../src/platform/egress.ts";
import { migrate } from "../src/platform/migrate.ts";
import { createSealer } from "../src/platform/seal.ts";
import { serverCommands } from "../src/server-commands/server-commands.ts";
import { makeCsr } from "../src/x509/csr.ts";
import { parseSan } from "../src/x509/names.ts";
import { pem } from "../src/x509/pem.ts";

/** A job that waits for this CSR. */
export interface Issuance {
  agent: AgentPrincipal;
  jobId: string;
  leaseId: string;
  csrPem: string;
}

/** The parts of a control plane between SubmitCsr and the version, over a database. */
export interface Issuing extends AsyncDisposable {
  /** Declares certificates, each with a job whose CSR is awaited, and makes the CSRs. */
  prepare(count: number): Promise<Issuance[]>;
  submit(issuance: Issuance): Promise<void>;
  /** Settles when as many versions are committed. */
  published(count: number): Promise<void>;
}

const agents = 50;
const lookEveryMs = 10;

export async function openIssuing(url: string, signal: AbortSignal): Promise<Issuing> {
  await using opening = new AsyncDisposableStack();
  const log = pino({ level: "warn" });
  await migrate(url, { log });
  const { db, pool } = opening.use(openDatabase(url, (error) => log.warn(error)));
  await migrateQueue(pool);
  const sealer = createSealer(randomBytes(32));
  const clock = () => new Date();
  const authorities = await openAuthorities(db, sealer, clock());
  const bus = opening.use(await openBus(url, log));
  const sessions = opening.use(createSessions(bus, clock));
  const issuing = createIssuingAuthorities(db, sealer, null);
  const reserved = { trustDomain: authorities.trustDomain, ownNames: [], issuing };
  const deps = {
    db,
    sealer,
    issuerKinds: issuerByKind,
    authorities,
    issuing,
    egress: createEgress([]),
    commands: serverCommands("/nonexistent"),
    askAgent: createAskAgent({ db, bus }),
    reserved,
    clock,
    log,
  };
  const tasks = { issue: (jobId: string, ends: AbortSignal) => issue(deps, jobId, ends) };
  opening.use(await startQueue({ pool, tasks, concurrency: 8, log, signal }));
  const signing = opening.use(createSigning(deps, signal));
  const service = agentWorkService({
    ...deps,
    signing,
    bus,
    sessions,
    replicaId: "bench",
    identityHours: 24,
  });
  const parts = opening.move();

  async function principals(): Promise<AgentPrincipal[]> {
    const made: AgentPrincipal[] = [];
    for (let index = 0; index < agents; index += 1) {
      const { agent, apiKey } = await registerAgent(db, system, { id: "", name: `bench ${index}` });
      const id = apiKey.split("_", 1)[0] ?? "";
      made.push({ kind: "agent", id: agent.id, credential: { kind: "api_key", id, notAfter: null } });
    }
    return made;
  }

  return {
    async prepare(count) {
      const known = await principals();
      const rows = Array.from({ length: count }, (_, index) => {
        const agent = known[index % known.length];
        if (!agent) throw new Error("there is no agent");
        const names = [`host-${index}.example.test`, `www.host-${index}.example.test`];
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        const csr = makeCsr(privateKey, names[0] ?? "", names.map(parseSan));
        const csrPem = pem("CERTIFICATE REQUEST", csr);
        return { agent, names, csrPem, jobId: `job-bench${index}`, leaseId: randomUUID() };
      });
      const certificateOf = (jobId: string) => jobId.replace("job-", "mc-");
      await db.managedCertificate.createMany({
        data: rows.map(({ agent, names, jobId }) => ({
          id: certificateOf(jobId),
          name: jobId,
          commonName: names[0] ?? "",
          sans: names,
          issuerId: defaultIssuerId,
          agentId: agent.id,
          keyAlgorithm: "ECDSA-P256",
          validitySeconds: 46 * 86_400,
        })),
      });
      const inAnHour = new Date(Date.now() + 3_600_000);
      await db.job.createMany({
        data: rows.map(({ agent, jobId, leaseId }) => ({
          id: jobId,
          type: "Issuance",
          status: "AwaitingCSR",
          certificateId: certificateOf(jobId),
          agentId: agent.id,
          renewalId: jobId,
          keyId: jobId,
          leaseId,
          leaseEpoch: 1,
          leaseExpiresAt: inAnHour,
        })),
      });
      await db.$executeRaw`ANALYZE`;
      return rows;
    },
    async submit({ agent, jobId, leaseId, csrPem }) {
      const values = createContextValues().set(principalKey, agent);
      const request = create(SubmitCsrRequestSchema, { agentId: agent.id, jobId, leaseId, csrPem });
      await service.submitCsr(request, { values, signal } as HandlerContext);
    },
    async published(count) {
      while ((await db.certificateVersion.count()) < count) await delay(lookEveryMs, undefined, { signal });
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
