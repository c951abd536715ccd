import { once } from "node:events";

/** Runs work on one thing, known by its key, when all work on it that was asked for before has ended. */
export type Turns = <Result>(
  key: string,
  signal: AbortSignal,
  work: () => Promise<Result>,
) => Promise<Result>;

/** Makes a set of queues, one to a key. The signal's reason rejects work that is still waiting. */
export function takeTurns(): Turns {
  const tails = new Map<string, Promise<void>>();
  return async (key, signal, work) => {
    const before = tails.get(key);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const tail = Promise.all([before, ended]).then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    tails.set(key, tail);
    try {
      signal.throwIfAborted();
      const waiting = new AbortController();
      await Promise.race([before, once(signal, "abort", { signal: waiting.signal }).catch(() => {})]);
      waiting.abort();
      signal.throwIfAborted();
      return await work();
    } finally {
      end();
    }
  };
}
