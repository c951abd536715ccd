import { Link } from "@tanstack/react-router";
import { Undo2 } from "lucide-react";
import { FailureClass, FailureClassSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { type JourneyAttempt, JourneyState, type JourneyTrack } from "#gen/certctl/v1/journeys_pb.ts";
import { readable } from "../../../status/words.ts";
import { State } from "../../../ui/badge.tsx";
import { CopyText, shortHex } from "../../../ui/copy.tsx";
import { Time } from "../../../ui/time.tsx";
import { lookOf } from "./looks.ts";
import { StageStrip } from "./stage-strip.tsx";

/** One job's part of a journey: the making of a key's certificate, or the way to one target. */
export function Track({ track, isProblemsOnly }: { track: JourneyTrack; isProblemsOnly: boolean }) {
  const isLane = track.targetId !== "" || track.targetName !== "";
  const name = isLane ? track.targetName || track.targetId : track.agentName || track.agentId;
  const { tone, icon, word } = lookOf(track.state);
  const earlier = track.attempts.slice(0, -1);
  const shown = isProblemsOnly ? earlier.filter(({ state }) => state === JourneyState.FAILED) : earlier;
  return (
    <li className="flex flex-col gap-2 border-line1 border-t px-4 py-3 first:border-t-0">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h3 className="font-medium">
          {isLane ? (
            <Link to="/targets/$id" params={{ id: track.targetId }} className="hover:text-accent">
              {name}
            </Link>
          ) : (
            <>Certificate of {name}</>
          )}
        </h3>
        <span className="text-fg2 text-sm">
          {isLane
            ? `${track.targetKind} on ${track.agentName || track.agentId}`
            : "the key is made there and stays there"}
        </span>
        <span className="ml-auto flex flex-wrap items-center gap-3 text-sm">
          <State tone={tone} icon={icon}>
            {word}
          </State>
          {track.jobId && (
            <Link to="/jobs/$id" params={{ id: track.jobId }} className="text-fg2 hover:text-fg0">
              {track.attempts.length > 1 ? `attempt ${track.attempts.length} of ${track.maxAttempts}` : "job"}
            </Link>
          )}
        </span>
      </div>
      <StageStrip stages={track.stages} label={`Stages of ${name}`} />
      <Trouble track={track} />
      {shown.length > 0 && <Attempts attempts={shown} />}
      {isLane && <Fingerprints track={track} />}
    </li>
  );
}

function Trouble({ track }: { track: JourneyTrack }) {
  const { error, nextAttemptAt, rolledBack } = track;
  if (!error && !rolledBack && !nextAttemptAt) return null;
  const kind =
    error && error.failureClass !== FailureClass.UNSPECIFIED
      ? readable(FailureClassSchema, error.failureClass)
      : "";
  return (
    <div className="tone-bad tone-tint rounded-control px-3 py-2">
      {error && (
        <p className="break-words">
          <span className="font-mono text-sm">{error.step}</span> {error.message}
          {kind && <span className="text-fg1"> ({kind.toLowerCase()})</span>}
        </p>
      )}
      {rolledBack && (
        <p className="mt-1 flex items-center gap-1.5 text-fg1">
          <Undo2 aria-hidden size={14} /> The previous certificate was brought back and is served.
        </p>
      )}
      {nextAttemptAt && (
        <p className="mt-1 text-fg1">
          Next attempt <Time at={nextAttemptAt} />
        </p>
      )}
    </div>
  );
}

function Attempts({ attempts }: { attempts: readonly JourneyAttempt[] }) {
  return (
    <details>
      <summary className="cursor-pointer rounded-control text-fg1">
        {attempts.length === 1 ? "1 earlier attempt" : `${attempts.length} earlier attempts`}
      </summary>
      <ol className="mt-2 flex flex-col gap-2 border-line2 border-l pl-3">
        {attempts.map(({ number, state, startedAt, error, rolledBack }) => (
          <li key={number} className="text-fg1">
            <span className="flex flex-wrap items-center gap-x-3">
              <State tone={lookOf(state).tone} icon={lookOf(state).icon}>
                Attempt {number}
              </State>
              <Time at={startedAt} />
              {rolledBack && <span className="text-fg2">rolled back</span>}
            </span>
            {error && <span className="block break-words text-sm">{error}</span>}
          </li>
        ))}
      </ol>
    </details>
  );
}

function Fingerprints({
  track: { expectedFingerprintSha256: expected, servedFingerprintSha256: served },
}: {
  track: JourneyTrack;
}) {
  if (!expected) return null;
  return (
    <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-fg2 text-sm">
      <span>
        expected <CopyText text={expected} shown={shortHex(expected)} label="the expected fingerprint" />
      </span>
      <span>
        served{" "}
        {served ? (
          <CopyText text={served} shown={shortHex(served)} label="the served fingerprint" />
        ) : (
          "not seen yet"
        )}
      </span>
    </p>
  );
}
