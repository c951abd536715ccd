import { once } from "node:events";
import { request } from "node:https";
import { createInterface } from "node:readline";

/** An open GET /api/v1/events, line by line. */
export interface EventStream extends Disposable {
  status: number;
  /** Reads on until an event is as wanted. Fails when the stream ends before; what ended it is in the message. */
  until(isWanted: (event: StreamEvent) => boolean): Promise<StreamEvent>;
}

export interface StreamEvent {
  cursor: string;
  heartbeat: { server_time: string } | null;
  changed: { topic: string; id: string } | null;
  resync: object | null;
}

export async function openEvents(
  { url, ca }: { url: string; ca: string },
  headers: Record<string, string>,
  query = "",
): Promise<EventStream> {
  const call = request(new URL(`/api/v1/events${query}`, url), { ca, agent: false, headers });
  call.end();
  const [response] = await once(call, "response");
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  return {
    status: response.statusCode,
    async until(isWanted) {
      for (;;) {
        const { value: line, done } = await lines.next();
        if (done) throw new Error("the stream has ended");
        if (line === "") continue;
        const event = JSON.parse(line);
        if (event.error) throw new Error(`the stream ended with ${event.reason || event.code}`);
        if (isWanted(event)) return event;
      }
    },
    [Symbol.dispose]: () => call.destroy(),
  };
}
