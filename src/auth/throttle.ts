import { createHash } from "node:crypto";
import { createBuckets } from "../platform/buckets.ts";
import { throttled } from "../platform/errors.ts";

/** Slows down who calls too much and who guesses. */
export interface Throttle {
  /** Counts a call of a principal. Throws ResourceExhausted above the limit. */
  countCall(principalId: string): void;
  /** Throws ResourceExhausted for an address that failed too often, unless this credential worked before. */
  requireCalm(address: string, credential: string | null): void;
  countFailure(address: string): void;
  /** Remembers that the credential works: a neighbour who guesses behind the same address does not lock it out. */
  countSuccess(credential: string): void;
}

export interface ThrottleLimits {
  /** Calls of one principal; 0 for no limit. */
  callsPerSecond: number;
  callsBurst: number;
  /** Failed attempts of one address. */
  failuresPerMinute: number;
}

const mostCredentials = 10_000;

/** Counts on this replica only, in bounded memory. */
export function createThrottle(limits: ThrottleLimits, clock: () => Date): Throttle {
  const { callsPerSecond, callsBurst, failuresPerMinute } = limits;
  const calls = createBuckets({ perSecond: callsPerSecond, burst: callsBurst, clock });
  const failures = createBuckets({ perSecond: failuresPerMinute / 60, burst: failuresPerMinute, clock });
  const worked = new Set<string>();
  const digest = (credential: string) => createHash("sha256").update(credential).digest("base64");

  return {
    countCall(principalId) {
      if (callsPerSecond === 0) return;
      const seconds = calls.take(principalId);
      if (seconds > 0)
        throw throttled(`${principalId} calls more than ${callsPerSecond} times a second`, seconds);
    },
    requireCalm(address, credential) {
      const seconds = failures.wait(networkOf(address));
      if (seconds === 0 || (credential !== null && worked.has(digest(credential)))) return;
      throw throttled("too many failed attempts from this address", seconds);
    },
    countFailure(address) {
      failures.take(networkOf(address));
    },
    countSuccess(credential) {
      const key = digest(credential);
      worked.delete(key);
      worked.add(key);
      const [oldest] = worked;
      if (worked.size > mostCredentials && oldest !== undefined) worked.delete(oldest);
    },
  };
}

/** Who holds one IPv6 address holds its /64. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - rest.length;
  const all = [...groups, ...Array.from({ length: zeros }, () => "0"), ...rest];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
