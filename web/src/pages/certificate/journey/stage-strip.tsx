import { type JourneyStage, JourneyState } from "#gen/certctl/v1/journeys_pb.ts";
import { cx } from "../../../ui/class-names.ts";
import { elapsedText } from "../../../ui/time-text.ts";
import { toneClass } from "../../../ui/tone.ts";
import { Elapsed } from "./elapsed.tsx";
import { lookOf, stepName } from "./looks.ts";

/** The stages of a track from left to right; below each other on a phone. */
export function StageStrip({ stages, label }: { stages: readonly JourneyStage[]; label: string }) {
  return (
    <ol aria-label={label} className="flex flex-col sm:flex-row">
      {stages.map((stage, index) => (
        <Stage key={stage.step} stage={stage} isLast={index === stages.length - 1} />
      ))}
    </ol>
  );
}

function Stage({ stage, isLast }: { stage: JourneyStage; isLast: boolean }) {
  const { tone, icon: Icon, word } = lookOf(stage.state);
  const isRunning = stage.state === JourneyState.RUNNING;
  const isToCome = stage.state === JourneyState.PENDING;
  return (
    <li
      className={cx(
        toneClass[tone],
        "relative flex min-w-0 flex-1 gap-2 pb-3 sm:flex-col sm:gap-1 sm:pr-3 sm:pb-0",
      )}
    >
      <span className="flex flex-col items-center sm:flex-row">
        <Icon aria-hidden size={16} className={cx("tone-text shrink-0", isRunning && "animate-spin")} />
        {!isLast && (
          <span
            aria-hidden
            className={cx(
              "mt-1 w-px flex-1 sm:mt-0 sm:ml-2 sm:h-px sm:w-auto",
              isToCome || isRunning ? "bg-line2" : "tone-fill opacity-50",
            )}
          />
        )}
      </span>
      <span className="min-w-0 flex-1">
        <span className={cx("block", isToCome ? "text-fg2" : "text-fg0")}>
          {stepName(stage.step)}
          <span className="sr-only">: {word}</span>
        </span>
        <span className="block font-mono text-fg2 text-sm">
          <Elapsed stage={stage} />
          {stage.expectedMs !== undefined && !isToCome && (
            <span title="How long it takes in the middle of the last times">
              {" "}
              / {elapsedText(stage.expectedMs)}
            </span>
          )}
        </span>
        {stage.message && (
          <span className="block truncate text-fg2 text-sm" title={stage.message}>
            {stage.message}
          </span>
        )}
      </span>
    </li>
  );
}
