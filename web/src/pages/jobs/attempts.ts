import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Job, JobEvent } from "#gen/certctl/v1/jobs_pb.ts";

/** One line of a timeline. */
export interface Line {
  at: Date;
  step: string;
  message: string;
  jobId: string;
  /** Since the line before it in its attempt. */
  afterMs: number | undefined;
  isProblem: boolean;
}

export interface AttemptLines {
  number: number;
  lines: Line[];
  isFailed: boolean;
}

const problems: readonly string[] = ["failed", "returned", "rolled_back"];

/**
 * The steps of a job by its attempts: each failed step ends one, and what a job waits for before the next belongs to the
 * next. The steps of its deployments are shown with them, on their own pages.
 */
export function attemptsOf({ id, timeline }: Pick<Job, "id" | "timeline">): AttemptLines[] {
  const attempts: AttemptLines[] = [];
  let open: AttemptLines | undefined;
  let before: Date | undefined;
  for (const event of timeline.filter(({ jobId }) => jobId === id)) {
    if (!open) {
      open = { number: attempts.length + 1, lines: [], isFailed: false };
      attempts.push(open);
      before = undefined;
    }
    const line = lineOf(event, before);
    before = line.at;
    open.lines.push(line);
    if (event.step !== "failed") continue;
    open.isFailed = true;
    open = undefined;
  }
  return attempts.map(mergePlan).filter(({ lines }) => lines.length > 0);
}

/** The plan for the next attempt is the last word of the one that failed. */
function mergePlan(attempt: AttemptLines, index: number, all: readonly AttemptLines[]): AttemptLines {
  const next = all[index + 1];
  const isPlanned = next?.lines[0]?.step === "retry_planned";
  const own =
    index > 0 && attempt.lines[0]?.step === "retry_planned" ? attempt.lines.slice(1) : attempt.lines;
  const plan = isPlanned ? next.lines.slice(0, 1) : [];
  return { ...attempt, lines: [...own, ...plan] };
}

function lineOf({ at, step, message, jobId }: JobEvent, before: Date | undefined): Line {
  const time = at ? timestampDate(at) : new Date(0);
  const afterMs = before === undefined ? undefined : Math.max(0, time.getTime() - before.getTime());
  return { at: time, step, message, jobId, afterMs, isProblem: problems.includes(step) };
}

/** Everything that somebody who is to help has to know, as text. */
export function diagnosisOf(job: Job, names: { type: string; status: string; failure: string }): string {
  const { error } = job;
  const head = [
    `certctl job ${job.id}: ${names.type}, ${names.status}, attempt ${job.attempts} of ${job.maxAttempts}`,
    `certificate ${job.certificateName} (${job.certificateId})`,
    job.targetId && `target ${job.targetName} (${job.targetId})`,
    `agent ${job.agentName} (${job.agentId})`,
    error && `failed at ${error.step}, ${names.failure}: ${error.message}`,
    job.servedFingerprintSha256 && `served SHA-256 ${job.servedFingerprintSha256}`,
  ];
  const steps = job.timeline.map(({ at, step, message, attempt }) =>
    [at ? timestampDate(at).toISOString() : "", `#${attempt}`, step, message].filter(Boolean).join(" "),
  );
  return [...head.filter(Boolean), "", ...steps].join("\n");
}
