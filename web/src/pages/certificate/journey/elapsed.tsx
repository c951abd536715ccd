import { timestampDate } from "@bufbuild/protobuf/wkt";
import { useEffect, useState } from "react";
import { type JourneyStage, JourneyState } from "#gen/certctl/v1/journeys_pb.ts";
import { serverNow } from "../../../clock/now.ts";
import { elapsedText } from "../../../ui/time-text.ts";

const everyMs = 250;

/** How long a stage took, or takes so far. */
export function Elapsed({ stage: { state, startedAt, durationMs } }: { stage: JourneyStage }) {
  const isRunning = state === JourneyState.RUNNING && startedAt !== undefined;
  const [, tick] = useState(0);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => tick((times) => times + 1), everyMs);
    return () => clearInterval(timer);
  }, [isRunning]);
  if (durationMs !== undefined) return <>{elapsedText(durationMs)}</>;
  if (isRunning) return <>{elapsedText(serverNow().getTime() - timestampDate(startedAt).getTime())}…</>;
  return <>–</>;
}
