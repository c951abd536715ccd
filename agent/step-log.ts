import { freeText } from "../src/platform/free-text.ts";

/** A step as it is reported. */
export interface ReportedStep {
  step: string;
  message: string;
  /** How long ago it was taken. */
  agoMs: number;
}

/** Collects the steps of a job until they are reported, with their age on the process's monotonic clock. */
export class StepLog {
  #steps: { step: string; message: string; takenAtMs: number }[] = [];

  add(step: string, message = ""): void {
    this.#steps.push({ step, message: freeText(message), takenAtMs: performance.now() });
  }

  /** The steps so far, which are then gone from here. */
  take(): ReportedStep[] {
    const now = performance.now();
    const taken = this.#steps.map(({ takenAtMs, ...step }) => ({
      ...step,
      agoMs: Math.round(now - takenAtMs),
    }));
    this.#steps = [];
    return taken;
  }
}
