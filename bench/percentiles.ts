/** The value that this share of all values does not exceed (nearest rank). `share` is 0.95 for p95. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error("nothing was measured");
  return value;
}

/** p50, p95 and p99, rounded to tenths. */
export function percentiles(values: readonly number[]): { p50: number; p95: number; p99: number } {
  const rounded = (share: number) => Math.round(percentile(values, share) * 10) / 10;
  return { p50: rounded(0.5), p95: rounded(0.95), p99: rounded(0.99) };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
