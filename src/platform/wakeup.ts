/**
 * Lets one waiter sleep until it is woken, a deadline passes or its signal aborts. A wake that comes while nobody waits is
 * kept for the next wait: nothing is missed between a look and a wait.
 */
export class Wakeup implements Disposable {
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.wake();
  #isWoken = false;
  #resume: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort);
  }

  wake(): void {
    this.#isWoken = true;
    this.#resume?.();
  }

  /** Resolves when woken or after `deadlineMs`; at once when the signal has aborted. */
  async wait(deadlineMs: number): Promise<void> {
    if (!this.#isWoken && !this.#signal.aborted) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
        timer = setTimeout(resolve, deadlineMs);
      });
      clearTimeout(timer);
    }
    this.#resume = undefined;
    this.#isWoken = false;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}
