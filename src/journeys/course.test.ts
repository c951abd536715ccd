import { describe, expect, test } from "vitest";
import { courseOf, type Event, keySteps, laneSteps } from "./course.ts";

const start = Date.UTC(2030, 5, 1);

/** A timeline whose steps are a second apart: "accepted", "failed=reload: it did not". */
function timeline(...steps: string[]): Event[] {
  return steps.map((text, index) => {
    const [step = "", message = ""] = text.split("=");
    return { at: new Date(start + index * 1_000), step, message, attempt: 1 };
  });
}

const open = { status: "Running", isPlanned: false };
const planned = { status: "Pending", isPlanned: true };
const completed = { status: "Completed", isPlanned: false };
const states = (stages: readonly { step: string; state: string }[]) =>
  stages.map(({ step, state }) => `${step} ${state}`);
const secondsOf = (date: Date | null) => (date === null ? null : (date.getTime() - start) / 1_000);

describe("the course of an issuance", () => {
  test("is that its first stage runs until the agent has made the key", () => {
    const { state, stages } = courseOf(
      keySteps,
      timeline("created", "awaiting_csr", "delivered", "accepted"),
      open,
    );
    expect(state).toBe("Running");
    expect(states(stages)).toEqual(["Key Running", "Csr Pending", "Order Pending", "Issued Pending"]);
  });

  test("has each stage begin where the one before it ended", () => {
    const steps = [
      "created",
      "awaiting_csr",
      "delivered",
      "accepted",
      "key_generated=ECDSA",
      "csr_accepted",
      "recorded",
      "issued",
    ];
    const { stages, attempts } = courseOf(keySteps, timeline(...steps), completed);
    expect(states(stages)).toEqual(["Key Done", "Csr Done", "Order Done", "Issued Done"]);
    expect(stages.map(({ startedAt, endedAt }) => [secondsOf(startedAt), secondsOf(endedAt)])).toEqual([
      [0, 4],
      [4, 5],
      [5, 6],
      [6, 7],
    ]);
    expect(stages[0]?.message).toBe("ECDSA");
    expect(attempts).toMatchObject([{ number: 1, state: "Done", error: "" }]);
  });

  test("that waits for its time has not begun", () => {
    const { state, stages } = courseOf(keySteps, timeline("created"), planned);
    expect(state).toBe("Waiting");
    expect(states(stages)).toEqual(["Key Pending", "Csr Pending", "Order Pending", "Issued Pending"]);
  });

  test("keeps key and CSR when the CA is asked again", () => {
    const before = [
      "created",
      "delivered",
      "accepted",
      "key_generated",
      "csr_accepted",
      "failed=sign: no",
      "retry_planned",
    ];
    const waiting = courseOf(keySteps, timeline(...before), planned);
    expect(waiting.state).toBe("Waiting");
    expect(states(waiting.stages)).toEqual(["Key Done", "Csr Done", "Order Failed", "Issued Pending"]);
    expect(waiting.stages[2]?.message).toBe("sign: no");
    const again = courseOf(keySteps, timeline(...before, "signing"), open);
    expect(states(again.stages)).toEqual(["Key Done", "Csr Done", "Order Running", "Issued Pending"]);
    expect(again.attempts.map(({ number, state }) => [number, state])).toEqual([
      [1, "Failed"],
      [2, "Running"],
    ]);
  });

  test("begins anew with another key when a person has it tried again", () => {
    const before = ["created", "accepted", "key_generated", "csr_accepted", "failed=sign: no"];
    expect(courseOf(keySteps, timeline(...before), { status: "Failed", isPlanned: false }).state).toBe(
      "Failed",
    );
    const { stages } = courseOf(keySteps, timeline(...before, "retried", "awaiting_csr"), open);
    expect(states(stages)).toEqual(["Key Running", "Csr Pending", "Order Pending", "Issued Pending"]);
  });

  test("does not count what an agent gave back", () => {
    const { stages, attempts } = courseOf(
      keySteps,
      timeline("created", "delivered", "accepted", "key_generated", "returned", "delivered"),
      open,
    );
    expect(attempts).toHaveLength(1);
    expect(states(stages)[0]).toBe("Key Running");
  });
});

describe("the course of a deployment", () => {
  const taken = ["created", "delivered", "accepted", "matched", "written", "switched"];

  test("ends with the proof", () => {
    const { stages } = courseOf(
      laneSteps,
      timeline(...taken, "config_tested", "reloaded=ok", "proven"),
      completed,
    );
    expect(states(stages)).toEqual(["Delivered Done", "Installed Done", "Reloaded Done", "Proven Done"]);
    expect(secondsOf(stages[3]?.startedAt ?? null)).toBe(7);
  });

  test("skips the reload where the target has none", () => {
    const { stages } = courseOf(laneSteps, timeline(...taken, "proven"), completed);
    expect(states(stages)).toEqual(["Delivered Done", "Installed Done", "Reloaded Skipped", "Proven Done"]);
  });

  test("has nothing to install where the certificate is served already", () => {
    const { stages } = courseOf(
      laneSteps,
      timeline("created", "delivered", "accepted", "matched", "skipped"),
      completed,
    );
    expect(states(stages)).toEqual([
      "Delivered Done",
      "Installed Skipped",
      "Reloaded Skipped",
      "Proven Done",
    ]);
  });

  test.each([
    ["write: full", ["Delivered Done", "Installed Failed", "Reloaded Pending", "Proven Pending"]],
    ["config_test: nginx says no", ["Delivered Done", "Installed Done", "Reloaded Failed", "Proven Pending"]],
    ["proof: not served", ["Delivered Done", "Installed Done", "Reloaded Skipped", "Proven Failed"]],
    ["agent_lost: silent", ["Delivered Done", "Installed Done", "Reloaded Failed", "Proven Pending"]],
  ])("that fails with %s fails at that stage", (error, expected) => {
    const steps = error.startsWith("write") ? ["created", "accepted", "matched"] : taken;
    const { stages, attempts } = courseOf(laneSteps, timeline(...steps, "rolled_back", `failed=${error}`), {
      status: "Failed",
      isPlanned: false,
    });
    expect(states(stages)).toEqual(expected);
    expect(attempts).toMatchObject([{ state: "Failed", error, isRolledBack: true }]);
  });

  test("begins anew with every attempt, and keeps those before", () => {
    const failed = [...taken, "failed=proof: no", "retry_planned"];
    const { stages, attempts } = courseOf(laneSteps, timeline(...failed, "delivered", "accepted"), open);
    expect(states(stages)).toEqual([
      "Delivered Done",
      "Installed Running",
      "Reloaded Pending",
      "Proven Pending",
    ]);
    expect(states(attempts[0]?.stages ?? [])[3]).toBe("Proven Failed");
    expect(attempts.map(({ number }) => number)).toEqual([1, 2]);
  });

  test("that is cancelled stops where it was, and while it waits makes no attempt of it", () => {
    const cancelled = { status: "Cancelled", isPlanned: false };
    const atWork = courseOf(laneSteps, timeline("created", "accepted", "cancelled"), cancelled);
    expect(atWork.state).toBe("Cancelled");
    expect(states(atWork.stages)[1]).toBe("Installed Cancelled");
    const waiting = courseOf(
      laneSteps,
      timeline("created", "accepted", "failed=write: no", "cancelled"),
      cancelled,
    );
    expect(waiting.attempts).toHaveLength(1);
    expect(states(waiting.stages)[1]).toBe("Installed Failed");
    expect(courseOf(laneSteps, timeline("created", "superseded"), cancelled).attempts).toHaveLength(1);
  });
});
