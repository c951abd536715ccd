import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { probe, type Served } from "./probe.ts";
import type { Protocol } from "./starttls.ts";
import type { Proof } from "./target.ts";

const handshakesRunning = 3;
const handshakeMs = 5_000;
/** A fifth of what has passed already, within these bounds: soon after a quick reload, seldom after a slow one. */
const shortestWaitMs = 20;
const longestWaitMs = 500;

/** What must be seen on the wire. */
export interface Expected {
  protocol: Protocol;
  /** SHA-256 of leaves, any of which will do. */
  fingerprints: readonly string[];
  /** What the served chain alone must build to; null leaves the chain unchecked. */
  rootPem: string | null;
  /** What the leaf must be valid for, and the name that is asked for; null asks for none. */
  name: string | null;
  /** False: the name is asked for, but the leaf need not carry it. */
  isNameVerified: boolean;
}

/** What was not as it should be when the deadline passed. */
export class ProofError extends Error {
  override readonly name = "ProofError";
  readonly part: "unreachable" | "certificate" | "chain" | "name";
  /** SHA-256 of the leaf that was seen last, or null. */
  readonly served: string | null;

  constructor(part: ProofError["part"], message: string, served: string | null) {
    super(message);
    this.part = part;
    this.served = served;
  }
}

/** The name by which a certificate is proven: a label stands for a wildcard. Null when it has neither DNS nor IP. */
export function nameToProve(sans: readonly string[]): string | null {
  const isDns = (san: string) => isIP(san) === 0 && !/[@/:]/.test(san);
  const name = sans.find(isDns) ?? sans.find((san) => isIP(san) !== 0);
  return name?.replace(/^\*\./, "certctl-probe.") ?? null;
}

/** The DNS names and addresses of a certificate. */
export function sansOf(leaf: X509Certificate): string[] {
  const sans = (leaf.subjectAltName ?? "").matchAll(/(?:DNS|IP Address):([^",\s]+)/g);
  return Array.from(sans, ([, san = ""]) => san);
}

/** The name for SNI, which carries no addresses (RFC 6066, 3). */
export function serverNameFor(name: string | null): string | null {
  return name !== null && isIP(name) === 0 ? name : null;
}

export function isValidFor(leaf: X509Certificate, name: string): boolean {
  const found = isIP(name) === 0 ? leaf.checkHost(name, { subject: "never" }) : leaf.checkIP(name);
  return found !== undefined;
}

/**
 * Waits until the expected is seen in three fresh handshakes running, each `apartMs` after the one before: after a
 * reload an old worker may still answer. Throws ProofError when the deadline passes, and the signal's reason when it fires.
 */
export async function prove(
  endpoint: string,
  expected: Expected,
  limits: { signal: AbortSignal; deadlineMs: number; apartMs?: number },
): Promise<Proof> {
  const { signal, deadlineMs, apartMs = 0 } = limits;
  const pause = (ms: number) => delay(ms, undefined, { signal: limit }).catch(() => signal.throwIfAborted());
  const deadline = AbortSignal.timeout(deadlineMs);
  const limit = AbortSignal.any([signal, deadline]);
  const startedAt = performance.now();
  let problem: ProofError | null = null;
  let running = 0;
  while (true) {
    const seen = await look(endpoint, expected, limit);
    signal.throwIfAborted();
    if (!(seen instanceof ProofError)) {
      running += 1;
      if (running === handshakesRunning)
        return { fingerprintSha256: seen.fingerprintSha256, name: expected.name };
      if (apartMs > 0) await pause(apartMs);
      continue;
    }
    running = 0;
    // A handshake that the deadline cut off says less than the one before it.
    if (problem === null || !deadline.aborted) problem = seen;
    if (deadline.aborted) {
      const message = `not proven within ${deadlineMs / 1000} s: ${problem.message}`;
      throw new ProofError(problem.part, message, problem.served);
    }
    const waitMs = Math.min(Math.max((performance.now() - startedAt) / 5, shortestWaitMs), longestWaitMs);
    await pause(waitMs);
  }
}

async function look(endpoint: string, expected: Expected, limit: AbortSignal): Promise<Served | ProofError> {
  const { protocol, fingerprints, rootPem, name, isNameVerified } = expected;
  const served = await probe(endpoint, {
    protocol,
    serverName: serverNameFor(name),
    rootPem,
    signal: AbortSignal.any([limit, AbortSignal.timeout(handshakeMs)]),
  }).catch((error: unknown) => {
    const words = error instanceof Error ? error.message : String(error);
    return new ProofError("unreachable", `no handshake with ${endpoint}: ${words}`, null);
  });
  if (served instanceof ProofError) return served;
  const { leaf, fingerprintSha256, chainProblem } = served;
  if (!fingerprints.includes(fingerprintSha256)) {
    return new ProofError(
      "certificate",
      `${endpoint} serves another certificate (SHA-256 ${fingerprintSha256})`,
      fingerprintSha256,
    );
  }
  if (chainProblem !== null) {
    const message = `the chain that ${endpoint} serves does not build to the root: ${chainProblem}`;
    return new ProofError("chain", message, fingerprintSha256);
  }
  if (name !== null && isNameVerified && !isValidFor(leaf, name)) {
    return new ProofError("name", `the served certificate is not valid for ${name}`, fingerprintSha256);
  }
  return served;
}
