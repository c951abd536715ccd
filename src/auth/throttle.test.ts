import { describe, expect, test } from "vitest";
import { refusalOf } from "../../test/fixtures.ts";
import { createThrottle, networkOf } from "./throttle.ts";

function throttleAt(failuresPerMinute = 3) {
  const time = { now: new Date("2030-06-01T12:00:00Z") };
  const limits = { callsPerSecond: 1, callsBurst: 2, failuresPerMinute };
  const throttle = createThrottle(limits, () => time.now);
  const attempt = (act: () => void) => refusalOf(Promise.resolve().then(act));
  const wait = (ms: number) => {
    time.now = new Date(time.now.getTime() + ms);
  };
  return { throttle, attempt, wait };
}

const exhausted = { code: "ResourceExhausted", reason: "THROTTLED" };

describe("calls", () => {
  test("of one key are limited, and those of another are not", async () => {
    const { throttle, attempt, wait } = throttleAt();
    throttle.countCall("ak-a");
    throttle.countCall("ak-a");
    expect(await attempt(() => throttle.countCall("ak-a"))).toMatchObject(exhausted);
    throttle.countCall("ak-b");
    wait(1000);
    throttle.countCall("ak-a");
  });
});

describe("failed attempts", () => {
  test("close an address for a while", async () => {
    const { throttle, attempt, wait } = throttleAt();
    for (const _ of [1, 2, 3]) {
      throttle.requireCalm("192.0.2.1", "Bearer guess");
      throttle.countFailure("192.0.2.1");
    }
    expect(await attempt(() => throttle.requireCalm("192.0.2.1", "Bearer guess"))).toMatchObject(exhausted);
    expect(await attempt(() => throttle.requireCalm("::ffff:192.0.2.1", null))).toMatchObject(exhausted);
    throttle.requireCalm("192.0.2.2", "Bearer guess");
    wait(20_000);
    throttle.requireCalm("192.0.2.1", "Bearer guess");
  });

  test("lock out no credential that worked before", async () => {
    const { throttle, attempt } = throttleAt();
    throttle.countSuccess("Bearer good");
    for (const _ of [1, 2, 3]) throttle.countFailure("192.0.2.1");
    throttle.requireCalm("192.0.2.1", "Bearer good");
    expect(await attempt(() => throttle.requireCalm("192.0.2.1", "Bearer other"))).toMatchObject(exhausted);
  });
});

test.each([
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002::1%eth0", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::", "fe80:0:0:0::/64"],
  ["::ffff:192.0.2.9", "192.0.2.9"],
  ["192.0.2.9", "192.0.2.9"],
])("%s is counted as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
