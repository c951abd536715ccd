/** A token bucket for each key: `burst` at once, and then `perSecond`. */
export interface Buckets {
  /** Takes a token. Returns 0, or the seconds after which there is one. */
  take(key: string): number;
  /** What `take` would return. */
  wait(key: string): number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Keys that are remembered at most; those that waited longest since their last call are forgotten first. */
const mostKeys = 10_000;

export function createBuckets(options: {
  perSecond: number;
  burst: number;
  clock: () => Date;
  most?: number;
}): Buckets {
  const { perSecond, burst, clock, most = mostKeys } = options;
  const buckets = new Map<string, Bucket>();

  function filled(key: string): Bucket {
    const at = clock().getTime();
    const known = buckets.get(key);
    if (!known) return { tokens: burst, at };
    const gained = (Math.max(0, at - known.at) / 1000) * perSecond;
    return { tokens: Math.min(burst, known.tokens + gained), at };
  }
  const secondsUntil = ({ tokens }: Bucket) => (tokens >= 1 ? 0 : (1 - tokens) / perSecond);

  return {
    wait: (key) => secondsUntil(filled(key)),
    take(key) {
      const bucket = filled(key);
      const seconds = secondsUntil(bucket);
      if (seconds === 0) bucket.tokens -= 1;
      buckets.delete(key);
      buckets.set(key, bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > most && oldest !== undefined) buckets.delete(oldest);
      return seconds;
    },
  };
}
