import type { MessageShape } from "@bufbuild/protobuf";
import { type Client, Code } from "@connectrpc/connect";
import type { EventSchema, EventService } from "#gen/certctl/v1/events_pb.ts";
import { isCode } from "../api/errors.ts";
import { backoffMs } from "./backoff.ts";

type Event = MessageShape<typeof EventSchema>;

export interface WatchOptions {
  client: Pick<Client<typeof EventService>, "watch">;
  signal: AbortSignal;
  /** Where to go on; empty: from now on. */
  cursor(): string;
  onEvent(event: Event): void;
  /** The stream broke; so many tries have failed since it last said something. */
  onBroken(failures: number): void;
  /** The control plane says that nobody is signed in any more: nothing is watched from here on. */
  onSignedOut(): void;
}

/** Two heartbeats that did not come: the connection is dead, even if nobody said so. */
const silentMs = 35_000;

/** Keeps a stream open until the signal aborts, or the control plane says that nobody is signed in. */
export async function watchEvents(options: WatchOptions): Promise<void> {
  const { client, signal, cursor, onEvent, onBroken, onSignedOut } = options;
  let failures = 0;
  while (!signal.aborted) {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), silentMs);
    try {
      const limits = { signal: AbortSignal.any([signal, silence.signal]) };
      for await (const { event } of client.watch({ afterCursor: cursor() }, limits)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silentMs);
        failures = 0;
        if (event) onEvent(event);
      }
      // The control plane ends it now and then, so that who goes on is asked again who he is.
    } catch (error) {
      if (signal.aborted) return;
      if (isCode(error, Code.Unauthenticated)) {
        onSignedOut();
        return;
      }
      failures += 1;
      onBroken(failures);
      await pause(backoffMs(failures), signal);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Waits, but not when the browser is back on the network, or the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
