import { randomUUID } from "node:crypto";
import type { Bus } from "../platform/bus.ts";

/** Something that is not as it was. Its number grows by one with each. */
export interface Change {
  readonly number: number;
  readonly topic: string;
  /** Empty: any of the topic. */
  readonly id: string;
}

/** The changes of the last while, in this process; the same for every watcher. */
export interface Feed extends Disposable {
  /** Says where the newest change is. */
  cursor(number?: number): string;
  /** The number that a cursor names; null for one of another process, or too old. */
  numberOf(cursor: string): number | null;
  /** What came after a number; null when some of it is not kept any more. */
  after(number: number): readonly Change[] | null;
  newest(): number;
  /** Called after every change, and after changes may have been missed. */
  onChange(listener: () => void): Disposable;
}

const kept = 10_000;

/** Hears from the database what changes, whichever replica changes it. */
export function createFeed(bus: Bus, most = kept): Feed {
  using parts = new DisposableStack();
  const listeners = new Set<() => void>();
  let run = randomUUID();
  let changes: Change[] = [];
  let count = 0;

  function add(topic: string, id: string): void {
    count += 1;
    changes.push({ number: count, topic, id });
    // Trimmed now and then: shifting each time would move the whole array.
    if (changes.length >= 2 * most) changes = changes.slice(-most);
    for (const listener of listeners) listener();
  }

  parts.use(
    bus.subscribe("changed", (payload) => {
      const [topic = "", id = ""] = payload.split(" ", 2);
      add(topic, id === "*" ? "" : id);
    }),
  );
  // Steps of a job's timeline are told on this replica only; they would be too many for the database to pass on.
  parts.use(bus.subscribe("job", (id) => add("jobs", id)));
  parts.use(
    bus.onResumed(() => {
      // Every cursor that was given out is now of an earlier run.
      run = randomUUID();
      changes = [];
      for (const listener of listeners) listener();
    }),
  );

  const owned = parts.move();
  return {
    cursor: (number = count) => `${run}:${number}`,
    numberOf(cursor) {
      const [of, number = ""] = cursor.split(":");
      return of === run && /^\d{1,15}$/.test(number) && Number(number) <= count ? Number(number) : null;
    },
    after(number) {
      const oldest = count - changes.length;
      return number < oldest ? null : changes.slice(number - oldest);
    },
    newest: () => count,
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}
