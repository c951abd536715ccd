import { ClipboardCopy } from "lucide-react";
import { FailureClassSchema, type Job, JobStatusSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { readable } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { useCopy } from "../../ui/copy.tsx";
import { diagnosisOf } from "./attempts.ts";
import { hintsFor } from "./hints.ts";
import { typeText } from "./jobs-table.tsx";

/** Why the last attempt failed, in the server's own words, and what to look at. */
export function JobError({ job }: { job: Job }) {
  const [hasCopied, copy] = useCopy();
  const { error } = job;
  if (!error) return null;
  const failure = readable(FailureClassSchema, error.failureClass);
  const names = { type: typeText(job.type), status: readable(JobStatusSchema, job.status), failure };
  return (
    <section
      aria-label="Why it failed"
      className="tone-bad tone-tint flex flex-col gap-2 rounded-panel px-4 py-3"
    >
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">Failed at {error.step.replaceAll("_", " ")}</span>
        <span className="text-fg1">{failure}</span>
        <Button
          isSmall
          icon={ClipboardCopy}
          className="ml-auto"
          onClick={() => copy(diagnosisOf(job, names))}
        >
          {hasCopied ? "Copied" : "Copy diagnosis"}
        </Button>
      </p>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by the keyboard
        tabIndex={0}
        className="max-h-60 overflow-auto whitespace-pre-wrap break-words font-mono text-sm"
      >
        {error.message}
      </pre>
      <ul className="list-disc pl-5 text-fg1">
        {hintsFor(error).map((hint) => (
          <li key={hint}>{hint}</li>
        ))}
      </ul>
    </section>
  );
}
