import { setTimeout as sleep } from "node:timers/promises";
import { Wakeup } from "../platform/wakeup.ts";
import type { Change, Feed } from "./feed.ts";

/** What a watcher is told. */
export type Told =
  | { kind: "heartbeat"; cursor: string }
  | { kind: "changed"; cursor: string; topic: string; id: string }
  | { kind: "resync"; cursor: string };

export interface WatchTimes {
  heartbeatMs: number;
  /** What changes again within this time is told once. */
  calmMs: number;
  /** The stream ends after this; who goes on asks again, and is asked again who it is. */
  endMs: number;
}

export const watchTimes: WatchTimes = { heartbeatMs: 15_000, calmMs: 100, endMs: 30 * 60_000 };

/** Of one topic in one breath; more are told as any of it. */
const mostIds = 50;

/** Tells what changes, as long as the signal allows. `isWanted` says of which topics. */
export async function* watch(options: {
  feed: Feed;
  afterCursor: string;
  isWanted: (topic: string) => boolean;
  /** Whether ids are told. */
  hasIds: boolean;
  /** Called for changes of any topic, before what is told of them. Ends the watching by throwing. */
  onChanges: (changes: readonly Change[]) => Promise<void>;
  times: WatchTimes;
  signal: AbortSignal;
}): AsyncGenerator<Told> {
  const { feed, isWanted, hasIds, onChanges, times, signal } = options;
  using wakeup = new Wakeup(signal);
  using _subscription = feed.onChange(() => wakeup.wake());
  const ending = AbortSignal.timeout(times.endMs);
  let cursor = options.afterCursor || feed.cursor();
  let beatAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted && !ending.aborted) {
    const number = feed.numberOf(cursor);
    const changes = number === null ? null : feed.after(number);
    if (number !== null && changes?.length === 0) {
      const sinceBeatMs = performance.now() - beatAt;
      if (sinceBeatMs >= times.heartbeatMs) {
        beatAt = performance.now();
        yield { kind: "heartbeat", cursor };
      } else await wakeup.wait(times.heartbeatMs - sinceBeatMs);
      continue;
    }
    const now = feed.cursor();
    if (changes) await onChanges(changes);
    if (changes) yield* tell(feed, gather(changes, isWanted, hasIds));
    else yield { kind: "resync", cursor: now };
    cursor = now;
    await sleep(times.calmMs, undefined, { signal }).catch(() => {});
  }
}

function* tell(feed: Feed, changes: readonly Change[]): Generator<Told> {
  for (const { number, topic, id } of changes)
    yield { kind: "changed", cursor: feed.cursor(number), topic, id };
}

/** What is to be told, each once, in the order of the last time that it changed. */
function gather(
  changes: readonly Change[],
  isWanted: (topic: string) => boolean,
  hasIds: boolean,
): readonly Change[] {
  const byTopic = new Map<string, Map<string, Change>>();
  for (const change of changes) {
    if (!isWanted(change.topic)) continue;
    const ids = byTopic.get(change.topic) ?? new Map<string, Change>();
    byTopic.set(change.topic, ids);
    ids.set(hasIds ? change.id : "", { ...change, id: hasIds ? change.id : "" });
  }
  const gathered = Array.from(byTopic.values(), (ids) => {
    const all = [...ids.values()];
    const any = ids.get("");
    if (all.length <= mostIds && !any) return all;
    const last = all.reduce((one, other) => (one.number > other.number ? one : other));
    return [{ ...last, id: "" }];
  });
  return gathered.flat().sort((one, other) => one.number - other.number);
}
