import { randomUUID } from "node:crypto";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import type { AgentWorkService, GenerateCsr, WorkItem } from "#gen/certctl/v1/agent_work_pb.ts";
import { KeyAlgorithmSchema } from "#gen/certctl/v1/certificates_pb.ts";
import type { Log } from "../src/platform/log.ts";
import { wordsOf } from "../src/platform/words.ts";
import { freeText } from "../src/targets/free-text.ts";
import { DeployError } from "../src/targets/target.ts";
import { type DeployDeps, deploy } from "./deploy.ts";
import type { Outbox } from "./outbox.ts";

const keyAlgorithms = wordsOf(KeyAlgorithmSchema);

export type WorkClient = Client<typeof AgentWorkService>;

/** The jobs that this agent is working on. */
export interface Workshop {
  /** Starts a job. One that is given out again replaces the work under its old lease. */
  take(item: WorkItem): void;
  /** Stops the work under a lease that is lost. */
  abandon(leaseId: string): void;
  /** The leases of the work that is going on. */
  held(): { jobId: string; leaseId: string }[];
  /** Stops everything and waits for it. */
  stop(): Promise<void>;
}

interface Running {
  item: WorkItem;
  abort: AbortController;
  done: Promise<void>;
}

interface Step {
  step: string;
  message: string;
}

const callMs = 30_000;
const progressEveryMs = 500;

export function createWorkshop(
  deps: DeployDeps & { client: () => WorkClient; outbox: Outbox; log: Log },
): Workshop {
  const { client, outbox, log } = deps;
  const running = new Map<string, Running>();
  /** The end of the last work on an entry of agent.yaml: deployments to one place follow each other. */
  const queues = new Map<string, Promise<void>>();

  async function report(item: WorkItem, steps: readonly Step[], signal: AbortSignal): Promise<void> {
    const { jobId, leaseId } = item;
    await client().reportProgress(
      { jobId, leaseId, requestId: randomUUID(), steps: [...steps] },
      { signal, timeoutMs: callMs },
    );
  }

  async function makeCsr(item: WorkItem, wanted: GenerateCsr, signal: AbortSignal): Promise<void> {
    const { jobId, leaseId } = item;
    const keyAlgorithm = keyAlgorithms.text(wanted.keyAlgorithm);
    const { csrPem, isNew } = await deps.keys.csrFor(wanted.keyId, { ...wanted, keyAlgorithm });
    const message = isNew
      ? `${keyAlgorithm}, kept on this agent`
      : `${keyAlgorithm}, made at an earlier attempt`;
    await report(item, [{ step: "key_generated", message }], signal);
    await client().submitCsr({ jobId, leaseId, csrPem }, { signal, timeoutMs: callMs });
  }

  async function putInPlace(item: WorkItem, order: DeployOrder, signal: AbortSignal): Promise<void> {
    const { jobId, leaseId } = item;
    await report(item, [], signal);
    let steps: Step[] = [];
    let isReporting = false;
    // Quick deployments send their steps with the result; slow ones show how they get on.
    const timer = setInterval(() => {
      if (isReporting || steps.length === 0) return;
      isReporting = true;
      const sent = steps;
      steps = [];
      report(item, sent, signal)
        .catch(() => steps.unshift(...sent))
        .finally(() => {
          isReporting = false;
        });
    }, progressEveryMs);
    const step = (name: string, message = "") => void steps.push({ step: name, message: freeText(message) });
    try {
      const proof = await inTurn(order, () => deploy(deps, order, { signal, step }));
      const served = { servedFingerprintSha256: proof.fingerprintSha256 };
      await outbox.post({ jobId, leaseId, steps, result: { case: "succeeded", value: served } });
    } catch (error) {
      if (signal.aborted) return;
      await outbox.post({ jobId, leaseId, steps, result: { case: "failed", value: failureOf(error) } });
    } finally {
      clearInterval(timer);
    }
  }

  async function inTurn<T>(order: DeployOrder, work: () => Promise<T>): Promise<T> {
    const place = String(order.config?.["entry"] ?? order.targetId);
    const before = queues.get(place) ?? Promise.resolve();
    const result = before.then(work);
    const end = result.then(
      () => {},
      () => {},
    );
    queues.set(place, end);
    try {
      return await result;
    } finally {
      if (queues.get(place) === end) queues.delete(place);
    }
  }

  async function perform(item: WorkItem, signal: AbortSignal): Promise<void> {
    const { spec, jobId, leaseId } = item;
    try {
      if (spec.case === "generateCsr") await makeCsr(item, spec.value, signal);
      else if (spec.case === "deploy") await putInPlace(item, spec.value, signal);
      else throw new DeployError("config", "this agent does not know this kind of work; update it");
    } catch (error) {
      if (signal.aborted) return;
      if (isLeaseLost(error)) return log.info({ jobId }, "the lease on a job was lost; dropped it");
      log.warn({ err: error, jobId }, "a job failed");
      if (isUnreachable(error)) return;
      await outbox.post({ jobId, leaseId, result: { case: "failed", value: failureOf(error) } });
    }
  }

  return {
    take(item) {
      const before = running.get(item.jobId);
      before?.abort.abort();
      const abort = new AbortController();
      const start = before?.done ?? Promise.resolve();
      const done = start
        .then(() => perform(item, abort.signal))
        .finally(() => {
          if (running.get(item.jobId)?.item === item) running.delete(item.jobId);
        });
      running.set(item.jobId, { item, abort, done });
    },
    abandon(leaseId) {
      for (const { item, abort } of running.values()) if (item.leaseId === leaseId) abort.abort();
    },
    held: () => Array.from(running.values(), ({ item: { jobId, leaseId } }) => ({ jobId, leaseId })),
    async stop() {
      for (const { abort } of running.values()) abort.abort();
      await Promise.allSettled(Array.from(running.values(), ({ done }) => done));
    },
  };
}

type DeployOrder = Extract<WorkItem["spec"], { case: "deploy" }>["value"];

function failureOf(error: unknown) {
  if (error instanceof DeployError) {
    const { step, message, retryable, served } = error;
    return { step, message, retryable, servedFingerprintSha256: served ?? "" };
  }
  if (error instanceof ConnectError)
    return { step: "submit", message: freeText(error.rawMessage), retryable: false };
  return {
    step: "agent",
    message: freeText(error instanceof Error ? error.message : String(error)),
    retryable: true,
  };
}

function isLeaseLost(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Aborted;
}

/** The job is given out again once the control plane is back: the lease runs out, or the agent no longer names it. */
function isUnreachable(error: unknown): boolean {
  const codes: readonly Code[] = [
    Code.Unavailable,
    Code.Canceled,
    Code.DeadlineExceeded,
    Code.Internal,
    Code.Unknown,
  ];
  return error instanceof ConnectError && codes.includes(error.code);
}
