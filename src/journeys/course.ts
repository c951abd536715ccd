/*
 * The course of a job, read from its timeline: which attempts it had, and how far each of them came. Pure, and the only
 * place that knows which step of a timeline ends which stage.
 */

export const keySteps = ["Key", "Csr", "Order", "Issued"] as const;
export const laneSteps = ["Delivered", "Installed", "Reloaded", "Proven"] as const;
export type StepName = (typeof keySteps)[number] | (typeof laneSteps)[number];

export type State = "Pending" | "Running" | "Waiting" | "Done" | "Failed" | "Skipped" | "Cancelled";

export interface Stage {
  step: StepName;
  state: State;
  startedAt: Date | null;
  endedAt: Date | null;
  message: string;
}

export interface Attempt {
  number: number;
  state: State;
  startedAt: Date | null;
  endedAt: Date | null;
  stages: Stage[];
  /** "step: what happened"; empty unless it failed. */
  error: string;
  isRolledBack: boolean;
}

export interface Course {
  state: State;
  /** The newest of each stage. */
  stages: Stage[];
  attempts: Attempt[];
}

/** One step of a timeline, in the order in which they were stored. */
export interface Event {
  at: Date;
  step: string;
  message: string;
  attempt: number;
}

/** The step of the timeline that ends a stage. */
const ends: Record<StepName, string> = {
  Key: "key_generated",
  Csr: "csr_accepted",
  Order: "recorded",
  Issued: "issued",
  Delivered: "accepted",
  Installed: "switched",
  Reloaded: "reloaded",
  Proven: "proven",
};

/** The stage that a deployment's failed step belongs to; any other fails the first stage that was not reached. */
const failsStage: Record<string, StepName> = {
  host_file: "Installed",
  config: "Installed",
  match: "Installed",
  write: "Installed",
  switch: "Installed",
  config_test: "Reloaded",
  reload: "Reloaded",
  proof: "Proven",
};

const closing = ["failed", "cancelled", "superseded"];
/** An attempt that begins with the CSR which was accepted before, and has it signed. */
const signsAgain = "signing";

/**
 * The course of a job with these steps. `status` is the job's own; `isPlanned`: it waits for the time of its next
 * attempt, which may be its first.
 */
export function courseOf(
  steps: readonly StepName[],
  events: readonly Event[],
  { status, isPlanned }: { status: string; isPlanned: boolean },
): Course {
  const isOpen = !["Completed", "Failed", "Cancelled"].includes(status);
  const attempts: Attempt[] = [];
  let stages = steps.map(pending);
  for (const [index, part] of split(events).entries()) {
    const isRunning = isOpen && !part.some(({ step }) => closing.includes(step)) && !isPlanned;
    const attempt = attemptOf(part, { stages, index, isRunning, isCompleted: status === "Completed" });
    // What was cancelled while it waited for its next attempt is none.
    if (part.length > 1 || part[0]?.step !== "cancelled" || attempts.length === 0) {
      attempts.push(attempt);
      stages = attempt.stages;
    }
  }
  return { state: stateOf(status, isPlanned), stages, attempts };
}

function stateOf(status: string, isPlanned: boolean): State {
  if (status === "Completed") return "Done";
  if (status === "Failed" || status === "Cancelled") return status;
  return isPlanned ? "Waiting" : "Running";
}

function pending(step: StepName): Stage {
  return { step, state: "Pending", startedAt: null, endedAt: null, message: "" };
}

/** The events of each attempt. What an agent gave back, because it was restarted or lost, begins again in the same one. */
function split(events: readonly Event[]): Event[][] {
  const parts: Event[][] = [];
  let open: Event[] = [];
  for (const event of events) {
    if (event.step === "retry_planned") continue;
    if (event.step === "returned") {
      open = open.slice(0, 1);
      continue;
    }
    open.push(event);
    if (!closing.includes(event.step)) continue;
    parts.push(open);
    open = [];
  }
  return open.length > 0 ? [...parts, open] : parts;
}

function attemptOf(
  events: readonly Event[],
  at: { stages: readonly Stage[]; index: number; isRunning: boolean; isCompleted: boolean },
): Attempt {
  const last = events.at(-1);
  const failure = events.find(({ step }) => step === "failed");
  const isCancelled = events.some(({ step }) => step === "cancelled" || step === "superseded");
  const isDone = at.isCompleted && !failure && !isCancelled;
  const stages = stagesOf(events, { ...at, failure, isCancelled, isDone });
  const state = failure ? "Failed" : isCancelled ? "Cancelled" : isDone ? "Done" : "Running";
  const isOpen = state === "Running";
  return {
    number: Math.max(at.index + 1, ...events.map(({ attempt }) => attempt)),
    state: isOpen && !at.isRunning ? "Pending" : state,
    startedAt: events[0]?.at ?? null,
    endedAt: isOpen ? null : (last?.at ?? null),
    stages,
    error: failure?.message ?? "",
    isRolledBack: events.some(({ step }) => step === "rolled_back"),
  };
}

function stagesOf(
  events: readonly Event[],
  at: {
    stages: readonly Stage[];
    isRunning: boolean;
    isDone: boolean;
    isCancelled: boolean;
    failure: Event | undefined;
  },
): Stage[] {
  const { failure, isCancelled, isDone, isRunning } = at;
  const isStanding = events.find(({ step }) => step === "skipped");
  const kept = events[0]?.step === signsAgain ? at.stages.findIndex(({ step }) => step === "Order") : 0;
  const failed = failure && failsStage[failure.message.split(":", 1)[0] ?? ""];
  const reached = at.stages.map(
    ({ step }) => endOf(events, step) ?? (step === "Proven" ? isStanding : undefined),
  );
  const furthest = isDone ? at.stages.length - 1 : reached.findLastIndex((end) => end !== undefined);
  const stopped = at.stages.findIndex(({ step }, index) =>
    failed ? step === failed : index === Math.max(kept, furthest + 1),
  );
  let startedAt = events[0]?.at ?? null;
  return at.stages.map((before, index) => {
    const end = reached[index];
    if (index < kept && before.state === "Done") return before;
    if (end) {
      const stage = done(before.step, startedAt, end);
      startedAt = end.at;
      return stage;
    }
    if (index < Math.max(furthest, stopped)) return passed(before.step, isStanding !== undefined);
    if (isDone) return { ...pending(before.step), state: "Done" };
    if (index !== stopped) return pending(before.step);
    if (failure)
      return {
        ...pending(before.step),
        state: "Failed",
        startedAt,
        endedAt: failure.at,
        message: failure.message,
      };
    if (isCancelled)
      return { ...pending(before.step), state: "Cancelled", startedAt, endedAt: events.at(-1)?.at ?? null };
    return isRunning ? { ...pending(before.step), state: "Running", startedAt } : pending(before.step);
  });
}

function endOf(events: readonly Event[], step: StepName): Event | undefined {
  return events.findLast((event) => event.step === ends[step]);
}

function done(step: StepName, startedAt: Date | null, { at, message }: Event): Stage {
  return { step, state: "Done", startedAt, endedAt: at, message };
}

/** A stage that left no trace although a later one was reached. */
function passed(step: StepName, isStanding: boolean): Stage {
  const isSkipped = step === "Reloaded" || (step === "Installed" && isStanding);
  return { ...pending(step), state: isSkipped ? "Skipped" : "Done" };
}
