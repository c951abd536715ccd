import { useQuery } from "@connectrpc/connect-query";
import { Route } from "lucide-react";
import { type Journey, JourneyCause, JourneyService, JourneyState } from "#gen/certctl/v1/journeys_pb.ts";
import { useStream } from "../../../api/use-stream.ts";
import { Badge } from "../../../ui/badge.tsx";
import { EmptyState, Skeleton } from "../../../ui/empty-state.tsx";
import { ErrorCard } from "../../../ui/error-card.tsx";
import { Checkbox } from "../../../ui/field.tsx";
import { Panel } from "../../../ui/panel.tsx";
import { Time } from "../../../ui/time.tsx";
import { flag } from "../../../url/search.ts";
import { useParameters } from "../../../url/use-parameters.ts";
import { isFinal, lookOf } from "./looks.ts";
import { Track } from "./track.tsx";

const parameters = { problems: flag };

/** A journey as it goes: read once, then followed until its outcome is final. */
export function JourneyPanel({ id, renewalId = "" }: { id: string; renewalId?: string }) {
  const [{ problems }, set] = useParameters(parameters);
  const input = { id, renewalId };
  const read = useQuery(JourneyService.method.getCertificateJourney, input, { retry: false });
  const known = read.data?.journey;
  const isOpen = known !== undefined && !isFinal(known.state);
  const streamed = useStream(
    JourneyService.method.watchCertificateJourney,
    { id, renewalId: known?.renewalId ?? "" },
    isOpen,
  );
  const journey = isOpen ? (streamed?.journey ?? known) : known;
  if (read.isPending)
    return (
      <Panel title="Journey">
        <Skeleton lines={4} />
      </Panel>
    );
  if (!journey) {
    const isNone = read.error === null || /no journey|not found|was not/i.test(read.error.rawMessage);
    return isNone ? (
      <Panel title="Journey">
        <EmptyState icon={Route} title="Nothing was issued yet">
          Issue it, and every step shows here as it is taken: from the key to the proof on each target.
        </EmptyState>
      </Panel>
    ) : (
      <ErrorCard error={read.error} what="the journey" onRetry={() => void read.refetch()} />
    );
  }
  const look = lookOf(journey.state);
  const tracks = [...journey.keys, ...journey.lanes].filter(({ state }) => !problems || isTrouble(state));
  return (
    <Panel
      isFlush
      title="Journey"
      note={<Trigger journey={journey} />}
      actions={
        <>
          <Checkbox
            label="Problems only"
            checked={problems}
            onChange={(event) => set({ problems: event.target.checked }, { replace: true })}
          />
          <span aria-live="polite">
            <Badge tone={look.tone} icon={look.icon}>
              {journey.state === JourneyState.DONE && journey.lanes.length > 0 ? "Proven" : (look.word ?? "")}
            </Badge>
          </span>
        </>
      }
    >
      {tracks.length === 0 ? (
        <p className="px-4 pb-4 text-fg2">No part of this journey has a problem.</p>
      ) : (
        <ul>
          {tracks.map((track) => (
            <Track key={`${track.agentId} ${track.targetId}`} track={track} isProblemsOnly={problems} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function isTrouble(state: JourneyState): boolean {
  return [
    JourneyState.FAILED,
    JourneyState.WAITING,
    JourneyState.PARTLY_DONE,
    JourneyState.CANCELLED,
  ].includes(state as never);
}

function Trigger({ journey: { trigger, startedAt } }: { journey: Journey }) {
  const by =
    trigger?.cause === JourneyCause.ASKED || trigger?.cause === JourneyCause.OPERATION
      ? ` by ${trigger.actor}`
      : "";
  return (
    <>
      {trigger?.reason}
      {by} · <Time at={startedAt} />
    </>
  );
}
