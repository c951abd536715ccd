import { createHash } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  HeartbeatRequestSchema,
  type ProgressStepSchema,
  ReportProgressRequestSchema,
  ReportResultRequestSchema,
  type WorkItem,
} from "#gen/certctl/v1/agent_work_pb.ts";
import { heartbeat } from "../src/agents/heartbeat.ts";
import { workItem } from "../src/agents/work-item.ts";
import type { Actor } from "../src/audit/record.ts";
import { type AgentPrincipal, actorOf } from "../src/auth/principal.ts";
import { acceptCsr } from "../src/certificates/accept-csr.ts";
import { keyAlgorithmWords } from "../src/certificates/filter-message.ts";
import { issue } from "../src/certificates/issue.ts";
import { type Claimed, claim } from "../src/jobs/lease.ts";
import { reportProgress, reportResult } from "../src/jobs/report.ts";
import { sweepJobs } from "../src/jobs/sweep.ts";
import type { Database } from "../src/platform/database.ts";
import { makeCsr } from "../src/x509/csr.ts";
import { parseSan } from "../src/x509/names.ts";
import { pem } from "../src/x509/pem.ts";
import { agents, certificates } from "./estate.ts";
import { newKey } from "./keys.ts";
import type { World } from "./world.ts";

type Result = NonNullable<MessageInitShape<typeof ReportResultRequestSchema>["result"]>;
type Steps = MessageInitShape<typeof ProgressStepSchema>[];

/** A deployment that goes well. */
export const deploymentSteps = ["matched", "written", "switched", "config_tested", "reloaded", "proven"].map(
  (step) => ({ step }),
);

/** An agent that says what a real one would: keys and CSRs are real, servers are not there. */
interface DemoAgent {
  id: string;
  principal: AgentPrincipal;
  actor: Actor;
}

const never = new AbortController().signal;
/** An issuance, then its deployment, then what that leads to. */
const rounds = 4;
const failedReload = "nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)";

/** What the agents did on a day: take what is due, and say that they are alive. */
export async function workOnDay(world: World, day: number): Promise<void> {
  // Renewals and further attempts that were planned are due by now.
  await sweepJobs(world.db, world.clock(), 0);
  for (const { id, silentFrom = Number.POSITIVE_INFINITY } of agents) {
    if (day >= silentFrom) continue;
    const agent = await openAgent(world, id);
    const alive = create(HeartbeatRequestSchema, { agentId: id, epoch: 1 });
    await heartbeat(world.db, id, alive, world.clock());
    for (let round = 0; round < rounds; round += 1) {
      const claimed = await claim(world.db, { agentId: id, epoch: 1 }, world.clock());
      for (const job of claimed) await perform(world, agent, job, day);
      if (claimed.length === 0) break;
    }
  }
}

async function openAgent({ db }: World, id: string): Promise<DemoAgent> {
  const key = await db.apiKey.findFirstOrThrow({ where: { agentId: id } });
  const principal: AgentPrincipal = {
    kind: "agent",
    id,
    credential: { kind: "api_key", id: key.id, notAfter: null },
  };
  return { id, principal, actor: actorOf(principal, `demo-${id}`) };
}

async function perform(world: World, agent: DemoAgent, claimed: Claimed, day: number): Promise<void> {
  const { spec } = await workItem(world.db, claimed);
  if (spec.case === "generateCsr") return generate(world, agent, claimed, spec.value);
  if (spec.case === "deploy") return deploy(world, agent, claimed, spec.value, day);
  if (spec.case !== "observe") throw new Error(`${claimed.id} is no work of an agent`);
  const served = await servedBy(world.db, spec.value.certificateId);
  await report(world, agent, claimed, { case: "observed", value: { servedFingerprintSha256: served } });
}

async function generate(
  world: World,
  agent: DemoAgent,
  { id, leaseId }: Claimed,
  wanted: Extract<WorkItem["spec"], { case: "generateCsr" }>["value"],
): Promise<void> {
  const { db } = world;
  const isBroken = certificates.some((each) => each.isBroken && `mc-${each.name}` === wanted.certificateId);
  if (isBroken) {
    const message = "EACCES: permission denied, mkdir '/var/lib/certctl/agent/keys'";
    await report(
      world,
      agent,
      { id, leaseId },
      { case: "failed", value: { step: "key", message, retryable: false } },
    );
    return;
  }
  const algorithm = keyAlgorithmWords.text(wanted.keyAlgorithm);
  const steps = [{ step: "key_generated", message: `${algorithm}, kept on this agent` }];
  await reportProgress(db, agent.id, create(ReportProgressRequestSchema, { jobId: id, leaseId, steps }));
  const csr = makeCsr(newKey(algorithm), wanted.commonName, wanted.sans.map(parseSan));
  await acceptCsr(db, agent, { jobId: id, leaseId, csrPem: pem("CERTIFICATE REQUEST", csr) });
  await issue(world, id, never);
}

async function deploy(
  world: World,
  agent: DemoAgent,
  claimed: Claimed,
  { certificateId, fingerprintSha256 }: Extract<WorkItem["spec"], { case: "deploy" }>["value"],
  day: number,
): Promise<void> {
  if (isUnlucky(`${certificateId} ${day} ${claimed.attempts}`, day)) {
    const served = await servedBy(world.db, certificateId);
    const value = { step: "reload", message: failedReload, retryable: true, servedFingerprintSha256: served };
    await report(world, agent, claimed, { case: "failed", value }, [
      { step: "switched" },
      { step: "rolled_back" },
    ]);
    return;
  }
  await report(
    world,
    agent,
    claimed,
    { case: "succeeded", value: { servedFingerprintSha256: fingerprintSha256 } },
    deploymentSteps,
  );
}

/** One deployment in twenty fails at first; the last days are quiet, so that the estate is as it is said to be. */
function isUnlucky(what: string, day: number): boolean {
  return day < 170 && (createHash("sha256").update(what).digest()[0] ?? 0) < 13;
}

/** What the certificate's target serves, as far as the agents have said so. */
export async function servedBy(db: Database, certificateId: string): Promise<string> {
  const mapping = await db.certificateTarget.findFirst({ where: { certificateId } });
  return mapping?.servedFingerprint ?? "";
}

async function report(
  { db, clock }: World,
  { actor }: DemoAgent,
  { id, leaseId }: Pick<Claimed, "id" | "leaseId">,
  result: Result,
  steps: Steps = [],
): Promise<void> {
  const request = create(ReportResultRequestSchema, { jobId: id, leaseId, result, steps });
  await reportResult(db, actor, request, clock());
}
