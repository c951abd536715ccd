import { describe, expect, test } from "vitest";
import type { Bus, Channel } from "../platform/bus.ts";
import { createFeed, type Feed } from "./feed.ts";
import { type Told, watch } from "./watch.ts";

/** A bus in this process alone. */
function localBus() {
  const listeners = new Map<Channel, Set<(payload: string) => unknown>>();
  const resumed = new Set<() => void>();
  const bus: Bus = {
    subscribe(channel, listener) {
      const all = listeners.get(channel) ?? new Set();
      listeners.set(channel, all.add(listener));
      return { [Symbol.dispose]: () => void all.delete(listener) };
    },
    tell: (channel, payload) => {
      for (const listener of listeners.get(channel) ?? []) listener(payload);
    },
    onResumed(listener) {
      resumed.add(listener);
      return { [Symbol.dispose]: () => void resumed.delete(listener) };
    },
    async [Symbol.asyncDispose]() {},
  };
  return {
    bus,
    say(...payloads: string[]) {
      for (const payload of payloads) bus.tell("changed", payload);
    },
    resume() {
      for (const listener of resumed) listener();
    },
  };
}

const times = { heartbeatMs: 60_000, calmMs: 1, endMs: 60_000 };

function start(feed: Feed, options: Partial<Parameters<typeof watch>[0]> = {}) {
  const stop = new AbortController();
  const told = watch({
    feed,
    afterCursor: "",
    isWanted: () => true,
    hasIds: true,
    onChanges: async () => {},
    times,
    signal: stop.signal,
    ...options,
  });
  return {
    stop: () => stop.abort(),
    next: async () => (await told.next()).value as Told,
    take: async (count: number) => {
      const all: Told[] = [];
      while (all.length < count) all.push((await told.next()).value as Told);
      return all.map((each) => (each.kind === "changed" ? `${each.topic} ${each.id}` : each.kind));
    },
  };
}

describe("a watcher", () => {
  test("is told at once that it is there, and then what changes, each once", async () => {
    const { bus, say } = localBus();
    using feed = createFeed(bus);
    say("teams t-before");
    const watcher = start(feed);
    expect(await watcher.take(1)).toEqual(["heartbeat"]);
    say("teams t-1", "jobs job-1", "teams t-1");
    bus.tell("job", "job-2");
    expect(await watcher.take(3)).toEqual(["jobs job-1", "teams t-1", "jobs job-2"]);
    say("teams t-2");
    expect(await watcher.take(1)).toEqual(["teams t-2"]);
  });

  test("that comes back misses nothing, wherever it broke off", async () => {
    const { bus, say } = localBus();
    using feed = createFeed(bus);
    const first = start(feed);
    await first.next();
    say("teams t-1", "teams t-2", "teams t-1", "teams t-3");
    const { cursor } = await first.next();
    const later = start(feed, { afterCursor: cursor });
    expect(await later.take(2)).toEqual(["teams t-1", "teams t-3"]);
    const { cursor: newest } = await start(feed).next();
    expect(await start(feed, { afterCursor: newest }).take(1)).toEqual(["heartbeat"]);
  });

  test.each(["", "other:0", "nonsense"])(
    "with a cursor that is not this run's (%j) resyncs, or begins",
    async (cursor) => {
      const { bus, say } = localBus();
      using feed = createFeed(bus);
      say("teams t-1");
      expect(await start(feed, { afterCursor: cursor }).take(1)).toEqual([cursor ? "resync" : "heartbeat"]);
    },
  );

  test("is told to resync when it comes too late, and when the database was away", async () => {
    const { bus, say, resume } = localBus();
    using feed = createFeed(bus, 10);
    const watcher = start(feed);
    const { cursor } = await watcher.next();
    for (let index = 0; index < 40; index += 1) say(`teams t-${index}`);
    expect(await start(feed, { afterCursor: cursor }).take(2)).toEqual(["resync", "heartbeat"]);
    expect(await watcher.take(1)).toEqual(["resync"]);
    resume();
    expect(await watcher.take(1)).toEqual(["resync"]);
    say("teams t-1");
    expect(await watcher.take(1)).toEqual(["teams t-1"]);
  });

  test("is told of very many as any of them, and without ids where it may not know them", async () => {
    const { bus, say } = localBus();
    using feed = createFeed(bus);
    const [open, restricted] = [start(feed), start(feed, { hasIds: false })];
    await Promise.all([open.next(), restricted.next()]);
    say(
      "teams t-x",
      ...Array.from({ length: 51 }, (_, index) => `jobs job-${index}`),
      "teams t-y",
      "agents *",
    );
    expect(await open.take(4)).toEqual(["teams t-x", "jobs ", "teams t-y", "agents "]);
    expect(await restricted.take(3)).toEqual(["jobs ", "teams ", "agents "]);
  });

  test("hears nothing of topics that it does not want, and still comes along", async () => {
    const { bus, say } = localBus();
    using feed = createFeed(bus, 10);
    const watcher = start(feed, { isWanted: (topic) => topic === "jobs" });
    await watcher.next();
    for (let index = 0; index < 100; index += 1) {
      say(`teams t-${index}`);
      if (index % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    say("jobs job-1");
    expect((await watcher.take(1))[0]).toMatch(/^(jobs job-1|resync)$/);
  });

  test("is ended by what its caller finds wrong, before it is told more", async () => {
    const { bus, say } = localBus();
    using feed = createFeed(bus);
    const watcher = start(feed, {
      onChanges: async (changes) => {
        if (changes.some(({ topic }) => topic === "sessions")) throw new Error("signed out");
      },
    });
    await watcher.next();
    say("teams t-1", "sessions ss-1");
    await expect(watcher.next()).rejects.toThrow("signed out");
  });

  test("hears a heartbeat again and again, and ends by itself", async () => {
    const { bus } = localBus();
    using feed = createFeed(bus);
    const watcher = start(feed, { times: { heartbeatMs: 1, calmMs: 1, endMs: 60 } });
    const all: string[] = [];
    for (let told = await watcher.next(); told; told = await watcher.next()) all.push(told.kind);
    expect(all.length).toBeGreaterThan(3);
    expect(new Set(all)).toEqual(new Set(["heartbeat"]));
  });

  test("ends when its caller has left", async () => {
    const { bus } = localBus();
    using feed = createFeed(bus);
    const watcher = start(feed);
    await watcher.next();
    const last = watcher.next();
    watcher.stop();
    expect(await last).toBeUndefined();
  });
});
