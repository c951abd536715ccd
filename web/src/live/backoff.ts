const firstMs = 500;
const mostMs = 15_000;

/** How long to wait before the next try: 0.5 to 15 s, spread so that browsers do not come back all at once. */
export function backoffMs(failures: number, random: number = Math.random()): number {
  const longest = Math.min(mostMs, firstMs * 2 ** Math.max(0, failures - 1));
  return longest * (0.5 + random / 2);
}
