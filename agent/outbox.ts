import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { create, fromJsonString, type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ReportResultRequest, ReportResultRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import { writeAtomically } from "../src/platform/data-dir.ts";

/** Results that wait to be sent, the latest of each job: they survive the agent and the control plane being away. */
export interface Outbox {
  /** Stores a result and tries to send it. */
  post(result: MessageInitShape<typeof ReportResultRequestSchema>): Promise<void>;
  /** Sends what waits. Throws when the control plane cannot be reached. */
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

export async function openOutbox(
  directory: string,
  send: (result: ReportResultRequest) => Promise<unknown>,
): Promise<Outbox> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pathOf = (jobId: string) => join(directory, `${encodeURIComponent(jobId)}.json`);

  async function deliver(result: ReportResultRequest): Promise<void> {
    try {
      await send(result);
    } catch (error) {
      if (!(error instanceof ConnectError) || !final.includes(error.code)) throw error;
    }
    await rm(pathOf(result.jobId), { force: true });
  }

  return {
    async post(init) {
      const result = create(ReportResultRequestSchema, init);
      await writeAtomically(pathOf(result.jobId), toJsonString(ReportResultRequestSchema, result), 0o600);
      // What cannot be sent now is sent before the next stream.
      await deliver(result).catch(() => {});
    },
    async flush() {
      const names = (await readdir(directory)).filter((name) => name.endsWith(".json"));
      for (const name of names) {
        const text = await readFile(join(directory, name), "utf8");
        await deliver(fromJsonString(ReportResultRequestSchema, text));
      }
    },
  };
}
