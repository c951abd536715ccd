import { describe, expect, test } from "vitest";
import { createBuckets } from "./buckets.ts";

function bucketsAt(options: { perSecond: number; burst: number; most?: number }) {
  const time = { now: new Date("2030-06-01T12:00:00Z") };
  const buckets = createBuckets({ ...options, clock: () => time.now });
  const wait = (ms: number) => {
    time.now = new Date(time.now.getTime() + ms);
  };
  return { buckets, wait };
}

describe("a bucket", () => {
  test("gives its burst at once, then as it fills, and never more than the burst", () => {
    const { buckets, wait } = bucketsAt({ perSecond: 2, burst: 3 });
    expect([1, 2, 3].map(() => buckets.take("a"))).toEqual([0, 0, 0]);
    expect(buckets.take("a")).toBe(0.5);
    wait(500);
    expect(buckets.take("a")).toBe(0);
    wait(3_600_000);
    expect([1, 2, 3, 4].map(() => buckets.take("a"))).toEqual([0, 0, 0, 0.5]);
  });

  test("is another's for another key", () => {
    const { buckets } = bucketsAt({ perSecond: 1, burst: 1 });
    expect([buckets.take("a"), buckets.take("b"), buckets.take("a")]).toEqual([0, 0, 1]);
  });

  test("is only looked at by wait", () => {
    const { buckets } = bucketsAt({ perSecond: 1, burst: 1 });
    expect([buckets.wait("a"), buckets.wait("a"), buckets.take("a"), buckets.wait("a")]).toEqual([
      0, 0, 0, 1,
    ]);
  });

  test("of the key that was quiet longest is forgotten when there are too many", () => {
    const { buckets } = bucketsAt({ perSecond: 1, burst: 1, most: 2 });
    for (const key of ["a", "b", "a", "c"]) buckets.take(key);
    expect(buckets.wait("b")).toBe(0);
    expect([buckets.wait("a"), buckets.wait("c")]).toEqual([1, 1]);
  });
});
