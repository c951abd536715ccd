import type { Connection } from "./connection.ts";

/** What commands need of the world around them. */
export interface Terminal {
  env: NodeJS.ProcessEnv;
  /** Whether a person watches: what is said on the side may be redrawn. */
  isLive: boolean;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** A file is printed as it is. */
  out(text: string | Uint8Array): void;
  /** Resolves when what was printed has been taken: for what may be endless. */
  drained(): Promise<void>;
  /** Beside the answer: progress, hints. */
  err(text: string): void;
  connect(): Promise<Connection>;
}
