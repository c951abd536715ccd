/** The commands of the control plane's own host, by the names that its owner gave them in server.yaml. */
export interface ServerCommands {
  /** Throws IssuerError when the file is refused. */
  list(): Promise<{ name: string; description: string }[]>;
  /** Throws IssuerError unless the command may be run. */
  check(name: string): Promise<void>;
  /**
   * Runs the whole command line that the name stands for: nothing is added to its arguments. Throws IssuerError for one that
   * is not there, does not start, takes too long, prints too much or is killed.
   */
  run(
    name: string,
    input: { environment: Readonly<Record<string, string>>; stdin: string; signal: AbortSignal },
  ): Promise<CommandEnd>;
}

/** How a command ended by itself. */
export interface CommandEnd {
  code: number;
  stdout: string;
  /** What it said on standard error, fit to be shown. */
  words: string;
}
