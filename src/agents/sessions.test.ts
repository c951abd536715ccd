import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Drain_Reason } from "#gen/certctl/v1/agent_work_pb.ts";
import type { Bus } from "../platform/bus.ts";
import { createSessions, type OpenSession, pingIntervalMs } from "./sessions.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2030-06-01T12:00:00Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

const nothing = { [Symbol.dispose]() {} };
const bus = { subscribe: () => nothing, onResumed: () => nothing, tell() {} } as unknown as Bus;

function openUntil(endsAt: Date | null): { session: OpenSession } & Disposable {
  const sessions = createSessions(bus, () => new Date());
  const { signal } = new AbortController();
  const session = sessions.open({ agentId: "ag-a", epoch: 1, instanceId: "i", endsAt, signal });
  return { session, [Symbol.dispose]: () => sessions[Symbol.dispose]() };
}

describe("a work stream", () => {
  test("ends at the next ping after its credential has: a certificate, or a key that expires", () => {
    using open = openUntil(new Date(Date.now() + pingIntervalMs + 1));
    vi.advanceTimersByTime(pingIntervalMs);
    expect(open.session.ending).toBeNull();
    vi.advanceTimersByTime(pingIntervalMs);
    expect(open.session.ending).toMatchObject({ reason: Drain_Reason.IDENTITY_ENDED });
  });

  test("goes on where its credential has no end", () => {
    using open = openUntil(null);
    vi.advanceTimersByTime(100 * pingIntervalMs);
    expect(open.session.ending).toBeNull();
  });
});
