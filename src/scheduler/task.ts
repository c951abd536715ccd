/** Work that is done again and again, by one replica at a time. */
export interface ScheduledTask {
  /** In the API and the database: "renewals". */
  name: string;
  /** What it does, for people. */
  title: string;
  everyMs: number;
  /**
   * Does it as of `now`, business time, and says in one sentence what it did. Done twice, or given up half-way, it does no
   * harm. The signal fires when the process stops or the run takes too long.
   */
  run(now: Date, signal: AbortSignal): Promise<string>;
}
