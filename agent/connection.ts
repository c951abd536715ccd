import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type AnswerChallenge,
  Drain_Reason,
  type LeaseDecision,
  type ProbeTarget,
  type Welcome,
  type WorkStreamResponse,
} from "#gen/certctl/v1/agent_work_pb.ts";
import type { Log } from "../src/platform/log.ts";
import type { Inspection } from "../src/targets/target.ts";
import type { HostSaying } from "./host-report.ts";
import type { WorkClient } from "./perform.ts";
import type { Witness } from "./witness.ts";
import type { Workshop } from "./workshop.ts";

export interface ConnectionDeps {
  client: () => WorkClient;
  /** Drops a connection that hangs. */
  abortConnection: () => void;
  workshop: Workshop;
  /** Sends what was left unsent; throws when the control plane cannot be reached. */
  flush: () => Promise<void>;
  keyIds: () => Promise<string[]>;
  destroyKeys: (keyIds: readonly string[]) => Promise<void>;
  witness: Witness;
  /** What agent.yaml says now. */
  host: () => Promise<HostSaying>;
  inspect: (probe: ProbeTarget, signal: AbortSignal) => Promise<Inspection>;
  /** Publishes a challenge or takes it away. Throws what is wrong. */
  answerChallenge: (challenge: AnswerChallenge) => Promise<void>;
  hostname: string;
  version: string;
  capabilities: readonly string[];
  /** Called at each welcome. */
  onConnected: () => void;
  log: Log;
}

/** How a stream ended, and how long to wait before the next. */
type Ending =
  | { kind: "drained"; waitMs: number }
  | { kind: "superseded"; waitMs: number }
  | { kind: "lost"; error: unknown; windowMs: number };

const welcomeMs = 20_000;
const callMs = 30_000;
const callsInFlight = 4;
const supersededPauseMs = 300_000;
const slowRetryMs = 300_000;
const firstWindowMs = 500;
const mostBackoffMs = 60_000;
/** Silence of this many ping intervals means that the stream is dead. */
const deadAfterPings = 2.5;
const mostWords = 4_096;

/** Holds a work stream for as long as the signal allows; whatever breaks it, another follows. */
export async function stayConnected(deps: ConnectionDeps, signal: AbortSignal): Promise<void> {
  const { log } = deps;
  const instanceId = randomUUID();
  let failures = 0;
  let refusals = 0;
  while (!signal.aborted) {
    const ending = await holdStream(deps, instanceId, signal, () => {
      failures = 0;
      refusals = 0;
    });
    if (signal.aborted) return;
    let waitMs = 0;
    if (ending.kind === "lost") {
      const isRefused = isRefusal(ending.error);
      if (isRefused) refusals += 1;
      waitMs = isRefused && refusals > 3 ? slowRetryMs : backoffMs(failures, ending.windowMs);
      failures += 1;
      log.warn({ reason: textOf(ending.error), waitMs }, "not connected");
    } else {
      waitMs = ending.waitMs;
      log.info({ waitMs, why: ending.kind }, "the control plane asked to reconnect");
    }
    await delay(waitMs, undefined, { signal }).catch(() => {});
  }
}

async function holdStream(
  deps: ConnectionDeps,
  instanceId: string,
  signal: AbortSignal,
  onWelcome: () => void,
): Promise<Ending> {
  const { client, workshop, log } = deps;
  const end = new AbortController();
  const limit = AbortSignal.any([signal, end.signal]);
  let windowMs = firstWindowMs;
  // A peer that vanished without a word is found by its silence.
  const hangUp = () => {
    end.abort(new Error("the control plane fell silent"));
    deps.abortConnection();
  };
  let watchdog = setTimeout(hangUp, welcomeMs);
  let silenceMs = welcomeMs;
  let beating: Promise<void> | undefined;
  try {
    await deps.flush();
    const stream = client().workStream(
      {
        instanceId,
        protocolMin: 1,
        protocolMax: 1,
        agentVersion: deps.version,
        capabilities: [...deps.capabilities],
        maxInFlight: callsInFlight,
        held: workshop.held(),
        hostname: deps.hostname,
        host: await deps.host(),
      },
      { signal: limit },
    );
    for await (const { message } of stream) {
      if (limit.aborted) break;
      clearTimeout(watchdog);
      watchdog = setTimeout(hangUp, silenceMs);
      if (message.case === "welcome") {
        onWelcome();
        deps.onConnected();
        const { sessionId, epoch, leases, pingIntervalMs, reconnectWindowMs } = message.value;
        silenceMs = pingIntervalMs * deadAfterPings;
        windowMs = reconnectWindowMs;
        dropLost(workshop, leases);
        beating = beat(deps, message.value, limit);
        log.info({ sessionId, epoch }, "connected");
      } else if (message.case === "work") {
        workshop.take(message.value);
      } else if (message.case === "lease") {
        dropLost(workshop, [message.value]);
      } else if (message.case === "probe") {
        void answerProbe(deps, message.value, limit);
      } else if (message.case === "challenge") {
        void answerChallenge(deps, message.value, limit);
      } else if (message.case === "drain") {
        return drained(message, instanceId);
      }
    }
    throw end.signal.reason ?? new ConnectError("the stream ended without a word", Code.Unavailable);
  } catch (error) {
    return { kind: "lost", error: end.signal.aborted ? end.signal.reason : error, windowMs };
  } finally {
    clearTimeout(watchdog);
    end.abort();
    await beating;
  }
}

function drained(
  message: Extract<WorkStreamResponse["message"], { case: "drain" }>,
  instanceId: string,
): Ending {
  const { reason, reconnectAfterMs, supersededBy } = message.value;
  const isOther = reason === Drain_Reason.SUPERSEDED && supersededBy !== instanceId;
  if (isOther) return { kind: "superseded", waitMs: supersededPauseMs };
  return { kind: "drained", waitMs: reconnectAfterMs };
}

/** Says regularly that the agent is alive, which also renews its leases. */
async function beat(
  deps: ConnectionDeps,
  { epoch, heartbeatIntervalMs }: Welcome,
  signal: AbortSignal,
): Promise<void> {
  const { client, workshop, log } = deps;
  while (!signal.aborted) {
    try {
      const keyIds = await deps.keyIds();
      const answer = await client().heartbeat(
        { epoch, leases: workshop.held(), keyIds, agentTime: timestampNow(), host: await deps.host() },
        { signal, timeoutMs: callMs },
      );
      dropLost(workshop, answer.leases);
      await deps.destroyKeys(answer.destroyKeyIds);
      await deps.witness.see(answer.auditCheckpoint);
    } catch (error) {
      if (!signal.aborted) log.warn({ reason: textOf(error) }, "a heartbeat failed");
    }
    const jitter = 0.9 + 0.2 * Math.random();
    await delay(heartbeatIntervalMs * jitter, undefined, { signal }).catch(() => {});
  }
}

/** Whoever asked is told that no answer came, if none does. */
async function answerProbe(deps: ConnectionDeps, probe: ProbeTarget, signal: AbortSignal): Promise<void> {
  try {
    const { checks, served } = await deps.inspect(probe, signal);
    await deps.client().reportProbe(
      {
        probeId: probe.probeId,
        checks,
        servedFingerprintSha256: served ?? "",
        host: await deps.host(),
      },
      { signal, timeoutMs: callMs },
    );
  } catch (error) {
    if (!signal.aborted) deps.log.warn({ reason: textOf(error) }, "a test of a target could not be answered");
  }
}

/** Whoever asked is told what is wrong, in the host's own words. */
async function answerChallenge(
  deps: ConnectionDeps,
  challenge: AnswerChallenge,
  signal: AbortSignal,
): Promise<void> {
  const { challengeId, clear } = challenge;
  const problem = await deps.answerChallenge(challenge).then(() => "", textOf);
  await deps
    .client()
    .reportChallenge(
      { challengeId, clear, ok: problem === "", message: problem.slice(0, mostWords) },
      { signal, timeoutMs: callMs },
    )
    .catch((error: unknown) => {
      if (!signal.aborted) deps.log.warn({ reason: textOf(error) }, "a challenge could not be reported");
    });
}

function dropLost(workshop: Workshop, leases: readonly LeaseDecision[]): void {
  for (const { leaseId, keep } of leases) if (!keep) workshop.abandon(leaseId);
}

/** The first try falls anywhere in the window that the fleet needs to come back; later ones are spread ever wider. */
function backoffMs(failures: number, windowMs: number): number {
  const spread = failures === 0 ? windowMs : Math.min(mostBackoffMs, Math.max(windowMs, 500 * 2 ** failures));
  return Math.random() * spread;
}

/** The control plane knows this agent no longer. Key and certificate stay: only a person may give them up. */
function isRefusal(error: unknown): boolean {
  const codes: readonly Code[] = [Code.Unauthenticated, Code.PermissionDenied, Code.FailedPrecondition];
  return error instanceof ConnectError && codes.includes(error.code);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
