import type { Argv } from "../platform/program.ts";
import { run } from "./command.ts";
import { probe } from "./probe.ts";
import { ProofError, serverNameFor } from "./prove.ts";
import type { Protocol } from "./starttls.ts";
import { DeployError, type FailedStep } from "./target.ts";
import type { Site } from "./versions.ts";

/** Where files go and how the server takes them. All but the name comes from the host's owner. */
export interface FilePlan {
  site: Site;
  /** The server's own check of its configuration. */
  test: Argv | undefined;
  /** Missing for a server that sees new files by itself. */
  reload: Argv | undefined;
  /** Brings back a server that is gone. */
  start: Argv | undefined;
  /** Where the server answers, see endpointPattern. */
  endpoint: string;
  protocol: Protocol;
  /** The name that is asked for there; null asks for none. */
  name: string | null;
  proofDeadlineMs: number;
  commandTimeoutMs: number;
}

const glanceMs = 5_000;
/** What cannot get better unless somebody changes something. */
const hopeless: readonly FailedStep[] = ["config", "host_file", "match"];

/** The leaf that is served under the plan's name at this moment, by SHA-256, or null. */
export async function servedNow(
  plan: Pick<FilePlan, "endpoint" | "protocol" | "name">,
  signal: AbortSignal,
): Promise<string | null> {
  const seen = await probe(plan.endpoint, {
    protocol: plan.protocol,
    serverName: serverNameFor(plan.name),
    rootPem: null,
    signal: AbortSignal.any([signal, AbortSignal.timeout(glanceMs)]),
  }).catch(() => null);
  return seen?.fingerprintSha256 ?? null;
}

/** Runs one of the plan's commands, if the plan has it. Answers what it printed. */
export async function command(
  plan: FilePlan,
  which: "test" | "reload" | "start",
  signal: AbortSignal,
): Promise<string | null> {
  const argv = plan[which];
  return argv ? run(argv, { signal, timeoutMs: plan.commandTimeoutMs }) : null;
}

/** Says at which step something failed, in its own words, or that it was stopped there. */
export function failure(step: FailedStep, error: unknown, signal?: AbortSignal): DeployError {
  if (error instanceof DeployError) return error;
  if (signal?.aborted) return new DeployError(step, `stopped: ${words(signal.reason)}`, { retryable: true });
  return new DeployError(step, words(error), {
    retryable: !hopeless.includes(step),
    served: error instanceof ProofError ? error.served : null,
  });
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
