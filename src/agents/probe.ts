import type { JsonObject } from "@bufbuild/protobuf";
import type { ReportProbeRequest } from "#gen/certctl/v1/agent_work_pb.ts";
import { type Actor, recordAudit } from "../audit/record.ts";
import { type Bus, notify } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import { invalid } from "../platform/errors.ts";
import { newId } from "../platform/ids.ts";
import { Wakeup } from "../platform/wakeup.ts";
import { storeHost } from "./host.ts";
import { mostOctets, type ProbeAnswer, readAnswer, writeAnswer } from "./probe-messages.ts";
import { isOnline } from "./view.ts";

/** What an agent found out about a target. */
export interface ProbeResult {
  ok: boolean;
  message: string;
  checks: ProbeAnswer["checks"];
  served: string;
}

/** An agent that can be asked says so. */
const capability = "probe/1";
/** Commands are not run for it, so that an agent that is there answers well within this. */
const answerWithinMs = 15_000;

/**
 * Asks an agent whether a deployment to a target would find what it needs. Of an agent that is away, or does not answer in
 * time, the result says so.
 */
export async function probeTarget(
  { db, bus }: { db: Database; bus: Bus },
  actor: Actor,
  wanted: { agentId: string; kind: string; config: JsonObject; targetId: string },
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { agentId, kind, config, targetId } = wanted;
  const [agent] = await db.$queryRaw<{ name: string; isThere: boolean; capabilities: string[] }[]>`
    SELECT a.name, ${isOnline} AS "isThere", a.capabilities FROM agents a
    WHERE a.id = ${agentId} AND a.retired_at IS NULL`;
  if (!agent) throw invalid({ field: "agent_id", description: `agent ${agentId} does not exist` });
  const result = await ask({ db, bus }, agent, { agentId, kind, config }, signal);
  await recordAudit(db, actor, {
    action: "target_tested",
    resourceType: "target",
    resourceId: targetId || kind,
    details: { agent_id: agentId, kind, ok: result.ok, message: result.message },
  });
  return result;
}

async function ask(
  { db, bus }: { db: Database; bus: Bus },
  { name, isThere, capabilities }: { name: string; isThere: boolean; capabilities: string[] },
  wanted: { agentId: string; kind: string; config: JsonObject },
  signal: AbortSignal,
): Promise<ProbeResult> {
  const nothing = { ok: false, checks: [], served: "" };
  if (!isThere) return { ...nothing, message: `agent ${name} is offline` };
  if (!capabilities.includes(capability))
    return { ...nothing, message: `agent ${name} cannot test targets; update it` };
  const id = newId("probe");
  const question = JSON.stringify({ id, ...wanted });
  if (Buffer.byteLength(question) > mostOctets)
    throw invalid({ field: "config", description: "is too long to be tested" });
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
  using wakeup = new Wakeup(deadline);
  let answer: ProbeAnswer | undefined;
  using _subscription = bus.subscribe("probed", (payload) => {
    const said = readAnswer(payload);
    if (said.id !== id || said.agentId !== wanted.agentId) return;
    answer = said;
    wakeup.wake();
  });
  await notify(db, "probe", question);
  while (!answer && !deadline.aborted) await wakeup.wait(answerWithinMs);
  if (!answer)
    return { ...nothing, message: `agent ${name} did not answer within ${answerWithinMs / 1_000} s` };
  const { checks, served } = answer;
  const wrong = checks.find(({ ok }) => !ok);
  return {
    ok: wrong === undefined,
    message: wrong?.message ?? "a deployment finds what it needs",
    checks,
    served,
  };
}

/** Takes an agent's answer to whoever waits for it, on whichever replica. */
export async function answerProbe(
  db: Database,
  agentId: string,
  { probeId: id, checks, servedFingerprintSha256: served, host }: ReportProbeRequest,
): Promise<void> {
  await storeHost(db, agentId, host);
  const said = checks.map(({ name, ok, message }) => ({ name, ok, message }));
  await notify(db, "probed", writeAnswer({ id, agentId, checks: said, served }));
}
