import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type WatchResponse, WatchResponseSchema } from "#gen/certctl/v1/events_pb.ts";
import type { World } from "./world.ts";

let cursor = 0;

/** Says to every watcher that something changed. */
export function say(world: World, topic: string, id: string): void {
  cursor += 1;
  const event = create(WatchResponseSchema, {
    event: { cursor: `demo:${cursor}`, what: { case: "changed", value: { topic, id } } },
  });
  for (const listener of world.listeners) listener(event);
}

const heartbeatMs = 15_000;

/** What EventService.Watch sends. */
export async function* watch(world: World, signal: AbortSignal): AsyncGenerator<WatchResponse> {
  const waiting: WatchResponse[] = [heartbeat()];
  let wake = () => {};
  const push = (event: WatchResponse) => {
    waiting.push(event);
    wake();
  };
  world.listeners.add(push);
  const timer = setInterval(() => push(heartbeat()), heartbeatMs);
  signal.addEventListener("abort", () => wake());
  try {
    while (!signal.aborted) {
      yield* waiting.splice(0);
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (waiting.length > 0 || signal.aborted) resolve();
      });
    }
  } finally {
    clearInterval(timer);
    world.listeners.delete(push);
  }
}

function heartbeat(): WatchResponse {
  return create(WatchResponseSchema, {
    event: {
      cursor: `demo:${cursor}`,
      what: { case: "heartbeat", value: { serverTime: timestampFromDate(new Date()) } },
    },
  });
}
