import { timestampDate } from "@bufbuild/protobuf/wkt";
import { createClient, type Transport } from "@connectrpc/connect";
import type { QueryClient } from "@tanstack/react-query";
import { EventService } from "#gen/certctl/v1/events_pb.ts";
import { correctClock, serverNow } from "../clock/now.ts";
import { getPresence, onPresence, signedOut } from "../session/presence.ts";
import { type Connection, getConnection, setConnection } from "./connection.ts";
import { createInvalidation } from "./invalidate.ts";
import { createTabs } from "./tabs.ts";
import type { Change } from "./topics.ts";
import { watchEvents } from "./watch-events.ts";

/** What the leading tab tells the others; with the cursor, from which another can go on. */
type Told =
  | { kind: "hello" }
  | { kind: "changed"; cursor: string; changes: Change[] }
  | { kind: "resync"; cursor: string }
  | { kind: "connection"; cursor: string; connection: Connection };

/** A tab that nobody has looked at for so long has no stream. */
const hiddenMs = 5 * 60_000;
/** So many tries in vain are no hiccup. */
const offlineAfter = 6;

/** Keeps what is shown true: by one stream of events for all tabs of this browser. */
export function startLive(transport: Transport, queries: QueryClient, streamName: string): () => void {
  const client = createClient(EventService, transport);
  const invalidation = createInvalidation(queries);
  const tabs = createTabs<Told>(streamName);
  let cursor = "";
  let isLeading = false;

  function show(connection: Connection): void {
    const wasLive = getConnection().state === "live";
    setConnection(connection);
    if (connection.state !== "live" || wasLive) return;
    // What failed while nobody answered is asked for again.
    void queries.refetchQueries({ predicate: ({ state }) => state.status === "error" });
  }

  function take(told: Told): void {
    if (told.kind === "hello") return;
    cursor = told.cursor;
    if (told.kind === "changed") invalidation.add(...told.changes);
    if (told.kind === "resync") invalidation.all();
    if (told.kind === "connection") show(told.connection);
  }

  function pass(told: Told): void {
    take(told);
    tabs.tell(told);
  }

  tabs.onTold((told) => {
    // The leader's clock has been corrected by the control plane's.
    if (told.kind === "connection" && told.connection.state === "live" && told.connection.asOf)
      correctClock(told.connection.asOf);
    if (told.kind !== "hello") take(told);
    else if (isLeading) tabs.tell({ kind: "connection", cursor, connection: getConnection() });
  });

  const live = (at: string) =>
    pass({ kind: "connection", cursor: at, connection: { state: "live", asOf: serverNow() } });

  async function lead(signal: AbortSignal): Promise<void> {
    isLeading = true;
    await watchEvents({
      client,
      signal,
      cursor: () => cursor,
      onEvent({ cursor: at, what }) {
        if (what.case === "heartbeat" && what.value.serverTime)
          correctClock(timestampDate(what.value.serverTime));
        if (what.case === "changed")
          pass({ kind: "changed", cursor: at, changes: [{ topic: what.value.topic, id: what.value.id }] });
        if (what.case === "resync") pass({ kind: "resync", cursor: at });
        if (what.case === "heartbeat" || getConnection().state !== "live") live(at);
      },
      onSignedOut: signedOut,
      onBroken(failures) {
        const state = failures >= offlineAfter || !navigator.onLine ? "offline" : "reconnecting";
        pass({ kind: "connection", cursor, connection: { state, asOf: getConnection().asOf } });
      },
    });
    isLeading = false;
  }

  let stop: AbortController | undefined;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  let isSignedIn = getPresence() === "in";

  function adjust(isShown: boolean): void {
    if (isShown && isSignedIn && !stop) {
      stop = new AbortController();
      tabs.tell({ kind: "hello" });
      void tabs.lead(lead, stop.signal);
    } else if (!(isShown && isSignedIn)) {
      stop?.abort();
      stop = undefined;
    }
  }

  const ended = new AbortController();
  const until = { signal: ended.signal };
  document.addEventListener(
    "visibilitychange",
    () => {
      clearTimeout(hiding);
      if (document.visibilityState === "visible") adjust(true);
      else hiding = setTimeout(() => adjust(false), hiddenMs);
    },
    until,
  );
  // A page that was frozen heard nothing meanwhile.
  document.addEventListener("resume", () => invalidation.all(), until);
  addEventListener(
    "offline",
    () => {
      if (isLeading)
        pass({ kind: "connection", cursor, connection: { ...getConnection(), state: "offline" } });
    },
    until,
  );
  const forget = onPresence((presence) => {
    isSignedIn = presence === "in";
    if (!isSignedIn) cursor = "";
    adjust(document.visibilityState === "visible");
  });
  adjust(true);
  return () => {
    ended.abort();
    forget();
    clearTimeout(hiding);
    adjust(false);
    tabs.close();
  };
}
