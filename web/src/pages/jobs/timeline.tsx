import { CircleCheck, CircleDot, CircleX, LoaderCircle } from "lucide-react";
import type { Job } from "#gen/certctl/v1/jobs_pb.ts";
import { sentence } from "../../status/words.ts";
import { cx } from "../../ui/class-names.ts";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { elapsedText } from "../../ui/time-text.ts";
import { type AttemptLines, attemptsOf, type Line } from "./attempts.ts";

const good: readonly string[] = ["issued", "proven", "csr_accepted", "observed"];

/** A job's steps as they were taken, attempt by attempt; the newest attempt is open. */
export function Timeline({ job }: { job: Job }) {
  const attempts = attemptsOf(job);
  const isOpen = job.outcome === undefined && job.completedAt === undefined;
  return (
    <Panel title="Steps" note={attempts.length > 1 && `${attempts.length} attempts`}>
      {attempts.length === 0 ? (
        <p className="text-fg2">Nothing has happened yet.</p>
      ) : (
        <ol className="flex flex-col gap-3">
          {attempts.map((attempt, index) => (
            <Attempt
              key={attempt.number}
              attempt={attempt}
              isOnly={attempts.length === 1}
              isLast={index === attempts.length - 1}
              isRunning={isOpen && index === attempts.length - 1 && !attempt.isFailed}
            />
          ))}
        </ol>
      )}
    </Panel>
  );
}

interface AttemptProps {
  attempt: AttemptLines;
  isOnly: boolean;
  isLast: boolean;
  isRunning: boolean;
}

function Attempt({ attempt: { number, lines, isFailed }, isOnly, isLast, isRunning }: AttemptProps) {
  const steps = (
    <ol className="flex flex-col">
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: steps are only added at the end
        <Step key={index} line={line} />
      ))}
      {isRunning && (
        <li className="tone-due flex items-center gap-3 py-1 text-fg1">
          <LoaderCircle aria-hidden size={14} className="tone-text shrink-0 animate-spin" />
          under way
        </li>
      )}
    </ol>
  );
  if (isOnly) return <li>{steps}</li>;
  return (
    <li>
      <details open={isLast}>
        <summary className="cursor-pointer rounded-control font-medium">
          Attempt {number} {isFailed && <span className="tone-bad tone-text font-normal">failed</span>}
        </summary>
        <div className="mt-1 border-line2 border-l pl-3">{steps}</div>
      </details>
    </li>
  );
}

/** "csr_accepted" as people read it: "CSR accepted". */
function stepText(step: string): string {
  const text = sentence(step).replace(/\bcsr\b/, "CSR");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function Step({ line: { at, step, message, afterMs, isProblem } }: { line: Line }) {
  const isGood = good.includes(step);
  const Icon = isProblem ? CircleX : isGood ? CircleCheck : CircleDot;
  return (
    <li className="grid grid-cols-[14px_minmax(0,1fr)] items-start sm:grid-cols-[14px_minmax(0,1fr)_auto] gap-x-3 border-line1 border-b py-1 last:border-b-0">
      <Icon
        aria-hidden
        size={14}
        className={cx(
          "mt-[3px]",
          isProblem ? "tone-bad tone-text" : isGood ? "tone-ok tone-text" : "text-fg2",
        )}
      />
      <span className="min-w-0 break-words">
        <span className="font-medium">{stepText(step)}</span> <span className="text-fg1">{message}</span>
      </span>
      <span className="col-start-2 flex flex-wrap gap-x-3 text-fg2 text-sm sm:col-start-3 sm:justify-end">
        {afterMs !== undefined && <span>+{elapsedText(afterMs)}</span>}
        <Time at={at} isExact />
      </span>
    </li>
  );
}
