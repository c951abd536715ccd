import { timestampDate } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import type { Command } from "commander";
import { type Job, type JobEvent, JobService, JobTypeSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { wordsOf } from "../src/platform/words.ts";
import { printable } from "./output.ts";
import type { Terminal } from "./terminal.ts";

const types = wordsOf(JobTypeSchema);

/** `certctl jobs tail`: a line for every step of every job, until Ctrl-C. */
export function addTail(jobs: Command, terminal: Terminal): void {
  jobs
    .command("tail")
    .description("Shows every step of every job as it is taken, until Ctrl-C")
    .option("--certificate-id <id>", "of this certificate alone")
    .option("--agent-id <id>", "of this agent alone")
    .addHelpText("after", "\nExample:\n  certctl jobs tail --certificate-id mc-shop")
    .action(async (options: { certificateId?: string; agentId?: string }) => {
      using connection = await terminal.connect();
      const client = createClient(JobService, connection.transport);
      const { signal } = terminal;
      const newSteps = stepReader();
      try {
        terminal.err("waiting for jobs; Ctrl-C ends\n");
        for await (const { job } of client.watchJobs(options, { signal })) {
          if (job) for (const event of newSteps(job)) terminal.out(`${lineOf(job, event)}\n`);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    });
}

/** What was done so shortly before the first step that is seen belongs to it. By the server's clock, in milliseconds. */
const leadMs = 2_000;

/** Picks the steps that are new since the tail began. A deployment's come with the deployment, not with its renewal. */
function stepReader(): (job: Job) => JobEvent[] {
  const shown = new Map<string, number>();
  let since: number | undefined;
  return (job) => {
    const own = job.timeline.filter(({ jobId }) => jobId === job.id);
    since ??= timeOf(own.at(-1)) - leadMs;
    const from = shown.get(job.id) ?? own.filter((event) => timeOf(event) < (since ?? 0)).length;
    shown.set(job.id, own.length);
    return own.slice(from);
  };
}

function timeOf(event: JobEvent | undefined): number {
  return event?.at ? timestampDate(event.at).getTime() : 0;
}

function lineOf({ id, type, certificateId }: Job, { at, step, message, attempt }: JobEvent): string {
  const time = at
    ? timestampDate(at)
        .toISOString()
        .replace(/\.\d+Z$/, "Z")
    : "";
  const what = `${types.text(type).toLowerCase()} of ${certificateId}`;
  const again = attempt > 1 ? `(attempt ${attempt})` : "";
  return [time, id, what, step.replaceAll("_", " "), again, printable(message)]
    .filter((word) => word !== "")
    .join("  ");
}
