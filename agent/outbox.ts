import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { create, fromJsonString, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ReportResultRequest, ReportResultRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import { writeAtomically } from "../src/platform/data-dir.ts";
import type { Log } from "../src/platform/log.ts";

/** Results that wait to be sent, the latest of each job: they survive the agent and the control plane being away. */
export interface Outbox {
  /** Stores a result and sends it, trying again until the control plane took it or the agent stops. */
  post(result: MessageInitShape<typeof ReportResultRequestSchema>): Promise<void>;
  /** Sends what an earlier run left. Throws when the control plane cannot be reached. */
  flush(): Promise<void>;
}

/** Codes by which the control plane says that it will never take this result. */
const final: readonly Code[] = [
  Code.Aborted,
  Code.NotFound,
  Code.FailedPrecondition,
  Code.InvalidArgument,
  Code.PermissionDenied,
];
const firstRetryMs = 250;
const mostRetryMs = 30_000;

export async function openOutbox(options: {
  directory: string;
  send: (result: ReportResultRequest) => Promise<unknown>;
  log: Log;
  signal: AbortSignal;
}): Promise<Outbox> {
  const { directory, send, log, signal } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pathOf = (jobId: string) => join(directory, `${encodeURIComponent(jobId)}.json`);

  async function deliver(result: ReportResultRequest, postedAtMs: number): Promise<void> {
    try {
      await send(aged(result, Date.now() - postedAtMs));
    } catch (error) {
      if (!(error instanceof ConnectError) || !final.includes(error.code)) throw error;
      log.info({ jobId: result.jobId, reason: error.rawMessage }, "a result is not wanted any more");
    }
    await rm(pathOf(result.jobId), { force: true });
  }

  async function readResult(path: string): Promise<ReportResultRequest | null> {
    try {
      return fromJsonString(ReportResultRequestSchema, await readFile(path, "utf8"));
    } catch {
      return null;
    }
  }

  return {
    async post(init) {
      const result = create(ReportResultRequestSchema, init);
      await writeAtomically(pathOf(result.jobId), toJsonString(ReportResultRequestSchema, result), 0o600);
      const postedAtMs = Date.now();
      for (let waitMs = firstRetryMs; !signal.aborted; waitMs = Math.min(mostRetryMs, 2 * waitMs)) {
        try {
          return await deliver(result, postedAtMs);
        } catch (error) {
          log.warn(
            { jobId: result.jobId, reason: String(error) },
            "a result could not be sent; trying again",
          );
        }
        await delay(waitMs, undefined, { signal }).catch(() => {});
      }
    },
    async flush() {
      const names = (await readdir(directory)).filter((name) => name.endsWith(".json"));
      for (const name of names) {
        const path = join(directory, name);
        const result = await readResult(path);
        if (result) await deliver(result, (await stat(path)).mtimeMs);
        else log.warn({ name }, "a result in the outbox cannot be read; it stays where it is");
      }
    },
  };
}

/** The result with its steps as much older as it has waited. */
function aged(result: ReportResultRequest, waitedMs: number): ReportResultRequest {
  const olderMs = Math.max(0, Math.round(waitedMs));
  const steps = result.steps.map((step) => ({ ...step, agoMs: Math.min(step.agoMs + olderMs, 0xffff_ffff) }));
  return { ...result, steps };
}
