import type {
  DescMessage,
  DescMethodServerStreaming,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { useTransport } from "@connectrpc/connect-query";
import { useEffect, useState } from "react";

const backoffMs = [500, 1_000, 2_000, 5_000, 15_000];

/**
 * The newest message of a stream that says how things stand and ends when nothing more will change. It is opened again
 * when it breaks, and closed while the page is hidden or `isOn` is false.
 */
export function useStream<I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  input: MessageInitShape<I>,
  isOn: boolean,
): MessageShape<O> | undefined {
  const transport = useTransport();
  const [latest, setLatest] = useState<{ of: string; message: MessageShape<O> }>();
  const key = JSON.stringify(input);
  useEffect(() => {
    if (!isOn) return;
    const leaving = new AbortController();
    void follow(leaving.signal);
    return () => leaving.abort();

    async function follow(signal: AbortSignal): Promise<void> {
      for (let failures = 0; !signal.aborted; failures++) {
        try {
          const request = JSON.parse(key) as MessageInitShape<I>;
          const stream = await transport.stream(method, signal, undefined, undefined, once(request));
          for await (const message of stream.message) {
            failures = 0;
            setLatest({ of: key, message });
          }
          return;
        } catch {
          await pause(backoffMs[Math.min(failures, backoffMs.length - 1)] ?? 0, signal);
        }
      }
    }
  }, [transport, method, key, isOn]);
  return latest?.of === key ? latest.message : undefined;
}

async function* once<Value>(value: Value): AsyncGenerator<Value> {
  yield value;
}

/** Waits at least half of it, so that many pages do not come back at once. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms * (0.5 + Math.random() / 2));
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
