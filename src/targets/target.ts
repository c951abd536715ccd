import { z } from "zod";
import { freeText } from "../platform/free-text.ts";

/** A certificate, its chain and its key, as they are to be put in place. */
export interface Bundle {
  leafPem: string;
  /** Intermediates from the leaf's issuer upwards; the root may stand at the end. */
  chainPem: readonly string[];
  /** The self-signed certificate that the served chain must build to. */
  rootPem: string;
  keyPem: string;
  /** Of the leaf's DER, lower-case hexadecimal. */
  fingerprintSha256: string;
  sans: readonly string[];
  versionId: string;
  /** The name under which the agent keeps the key. */
  keyId: string;
}

/** What the host's owner allows on this host: agent.yaml. */
export interface HostFile {
  /** Everything that certctl writes lies inside one of these. */
  allowedDirectories: readonly string[];
  /** By the name that a target's configuration gives; parsed by the kind's `host` schema. */
  targets: ReadonlyMap<string, HostEntry>;
}

export interface HostEntry {
  readonly kind: string;
}

/** What went well, in the order of a deployment. */
export type StepName =
  | "matched"
  | "skipped"
  | "written"
  | "switched"
  | "config_tested"
  | "reloaded"
  | "proven"
  | "rolled_back";

/** What did not. `config`: the target's configuration; `host_file`: agent.yaml or what it names on the host. */
export type FailedStep =
  | "config"
  | "host_file"
  | "match"
  | "write"
  | "switch"
  | "config_test"
  | "reload"
  | "proof";

export interface TargetContext {
  /** Fires when the work is to stop. A deployment that is under way is rolled back then. */
  signal: AbortSignal;
  host: HostFile;
  /** Called after each step; the message is fit to leave the host. */
  step(name: StepName, message?: string): void;
}

/** What was seen in three handshakes running. */
export interface Proof {
  fingerprintSha256: string;
  /** The name that was verified, or null for a certificate without DNS name and IP address. */
  name: string | null;
}

/** One thing that a deployment needs, and whether it is there. */
export interface Check {
  name: string;
  ok: boolean;
  /** What was found, or what is wrong; fit to leave the host. */
  message: string;
}

/** What a deployment would find. */
export interface Inspection {
  checks: Check[];
  /** SHA-256 of the leaf that is served now, or null. */
  served: string | null;
}

/** A place that certificates are deployed to. One file per kind; see nginx.ts. */
export interface Target<Config = unknown> {
  /** Stored in the database, shown in the API, written in agent.yaml: never renamed. */
  readonly kind: string;
  readonly title: string;
  /** What the control plane stores. It names an entry of agent.yaml and holds nothing that a host acts upon. */
  readonly config: z.ZodType<Config>;
  /** The shape of an entry of agent.yaml. */
  readonly host: z.ZodType<HostEntry>;
  /**
   * Replaces the live certificate and proves that it is served. On any failure, and when the signal fires, it sees to
   * it that the previous one is served and throws DeployError. Calls for one entry take turns.
   */
  deploy(bundle: Bundle, config: Config, ctx: TargetContext): Promise<Proof>;
  /** SHA-256 of the leaf that is served now, lower-case hexadecimal, or null if nothing is. */
  served(config: Config, ctx: TargetContext): Promise<string | null>;
  /** Whether a deployment would find what it needs. Changes nothing and runs no command; what is missing is a check that failed. */
  inspect(config: Config, ctx: TargetContext): Promise<Inspection>;
  /** Removes every file that holds this key, except where it is the current one. True when none is left. */
  forget?(keyId: string, ctx: TargetContext): Promise<boolean>;
}

/** A deployment that failed: at which step, in the words of what failed. */
export class DeployError extends Error {
  override readonly name = "DeployError";
  readonly step: FailedStep;
  /** Whether another attempt may succeed although nobody changes anything. */
  readonly retryable: boolean;
  /** SHA-256 of the leaf that is served after the failure, or null if nothing is or nobody looked. */
  readonly served: string | null;

  constructor(
    step: FailedStep,
    message: string,
    options: { retryable?: boolean; served?: string | null } = {},
  ) {
    super(freeText(message));
    this.step = step;
    this.retryable = options.retryable ?? false;
    this.served = options.served ?? null;
  }
}

/** Infers `Config` from the schema, then hides it: callers only hold JSON. */
export function defineTarget<Config>(target: Target<Config>): Target {
  const parse = (config: unknown): Config => {
    const parsed = target.config.safeParse(config);
    if (parsed.success) return parsed.data;
    throw new DeployError(
      "config",
      `the target's configuration is refused: ${z.prettifyError(parsed.error)}`,
    );
  };
  return {
    ...target,
    deploy: async (bundle, config, ctx) => target.deploy(bundle, parse(config), ctx),
    served: async (config, ctx) => target.served(parse(config), ctx),
    inspect: async (config, ctx) => target.inspect(parse(config), ctx),
  };
}

/** The JSON Schema of a kind's configuration, from which forms are drawn. */
export function configSchema(target: Target): Record<string, unknown> {
  return z.toJSONSchema(target.config, { io: "input" });
}
