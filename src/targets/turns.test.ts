import { expect, test } from "vitest";
import { takeTurns } from "./turns.ts";

const never = new AbortController().signal;

test("lets work on one key wait for its turn, and other work not", async () => {
  const inTurn = takeTurns();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = inTurn("a", never, () => gate.then(() => done.push("first")));
  const second = inTurn("a", never, async () => done.push("second"));
  await inTurn("b", never, async () => done.push("other"));
  expect(done).toEqual(["other"]);
  open();
  await Promise.all([first, second]);
  expect(done).toEqual(["other", "first", "second"]);
});

test("goes on after work that failed", async () => {
  const inTurn = takeTurns();
  const failed = inTurn("a", never, () => Promise.reject(new Error("no")));
  const next = inTurn("a", never, async () => "yes");
  await expect(failed).rejects.toThrow("no");
  expect(await next).toBe("yes");
});

test("gives up waiting on a signal and keeps the order of the others", async () => {
  const inTurn = takeTurns();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const stop = new AbortController();
  const done: string[] = [];
  const first = inTurn("a", never, () => gate.then(() => done.push("first")));
  const second = inTurn("a", stop.signal, async () => done.push("second"));
  const third = inTurn("a", never, async () => done.push("third"));
  stop.abort(new Error("the lease is lost"));
  await expect(second).rejects.toThrow("the lease is lost");
  open();
  await Promise.all([first, third]);
  expect(done).toEqual(["first", "third"]);
});
