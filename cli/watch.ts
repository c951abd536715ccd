import { setTimeout as sleep } from "node:timers/promises";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  type Job,
  type JobEvent,
  JobOutcome,
  JobOutcomeSchema,
  JobService,
} from "#gen/certctl/v1/jobs_pb.ts";
import { wordsOf } from "../src/platform/words.ts";
import type { Connection } from "./connection.ts";
import { CommandFailure } from "./failure.ts";
import { printable } from "./output.ts";
import type { Terminal } from "./terminal.ts";

const outcomes = wordsOf(JobOutcomeSchema);
const good: readonly JobOutcome[] = [JobOutcome.ISSUED, JobOutcome.PROVEN];

/** What the server says of the call; anything else says that it was not there to say something. */
const verdicts: readonly Code[] = [
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
];

/** How often a stream that broke is opened again, a second apart. */
const reconnections = 60;

/**
 * Shows the steps of jobs as they are taken, until the outcome of each is final.
 * @throws {CommandFailure} when one of them did not come to what it was for
 */
export async function watchJobs(
  connection: Connection,
  ids: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const since = Date.now();
  const status = liveStatus(terminal, since);
  try {
    const jobs = await Promise.all(ids.map((id) => watchJob(connection, id, terminal, status)));
    status.clear();
    for (const job of jobs) terminal.out(`${job.id}  ${outcomeOf(job)}\n`);
    const failed = jobs.filter(({ outcome }) => outcome === undefined || !good.includes(outcome));
    if (failed.length > 0) throw new CommandFailure(failed.map(shortfall).join("\n"));
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
    throw new CommandFailure(
      `nobody watches any more; the work goes on: certctl jobs watch ${ids.join(", ")}`,
    );
  } finally {
    status.clear();
  }
}

async function watchJob(
  connection: Connection,
  id: string,
  terminal: Terminal,
  status: LiveStatus,
): Promise<Job> {
  const client = createClient(JobService, connection.transport);
  let shown = 0;
  for (let left = reconnections; ; left -= 1) {
    try {
      let last: Job | undefined;
      for await (const { job } of client.watchJob({ id }, { signal: terminal.signal })) {
        if (!job) continue;
        for (const event of job.timeline.slice(shown))
          status.print(stepLine(event, job.createdAt && timestampDate(job.createdAt)));
        shown = job.timeline.length;
        status.set(`${id}  ${job.timeline.at(-1)?.step.replaceAll("_", " ") ?? "waiting"}`);
        last = job;
      }
      if (last?.outcome !== undefined) return last;
      throw new ConnectError("the stream ended early", Code.Unavailable);
    } catch (error) {
      if (terminal.signal.aborted || left === 0 || verdicts.includes(ConnectError.from(error).code))
        throw error;
      await sleep(1_000, undefined, { signal: terminal.signal });
    }
  }
}

/** A step with the seconds since the job was created. */
function stepLine({ at, step, message }: JobEvent, createdAt: Date | undefined): string {
  const seconds = at && createdAt ? (timestampDate(at).getTime() - createdAt.getTime()) / 1_000 : 0;
  return `${seconds.toFixed(2).padStart(8)} s  ${step.replaceAll("_", " ").padEnd(14)} ${printable(message)}`.trimEnd();
}

function outcomeOf({ outcome }: Job): string {
  return outcome === undefined ? "unfinished" : outcomes.text(outcome);
}

function shortfall(job: Job): string {
  const reason = job.error ? `: ${job.error.step}: ${printable(job.error.message)}` : "";
  return `${job.id} ended ${outcomeOf(job)}${reason}`;
}

interface LiveStatus {
  /** A line that stays. */
  print(line: string): void;
  /** What the last line says, while it is live. */
  set(text: string): void;
  clear(): void;
}

/** On a terminal, a last line that tells the seconds while nothing else happens. */
function liveStatus(terminal: Terminal, since: number): LiveStatus {
  let text = "";
  const draw = () => {
    const seconds = ((Date.now() - since) / 1_000).toFixed(0);
    if (terminal.isLive && text !== "") terminal.err(`\r\u001b[K${text}  ${seconds} s`);
  };
  const erase = () => {
    if (terminal.isLive) terminal.err("\r\u001b[K");
  };
  const timer = setInterval(draw, 1_000);
  timer.unref();
  return {
    print(line) {
      erase();
      terminal.err(`${line}\n`);
      draw();
    },
    set(next) {
      text = next;
      draw();
    },
    clear() {
      clearInterval(timer);
      text = "";
      erase();
    },
  };
}
