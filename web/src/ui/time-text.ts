const units = [
  ["y", 31_536_000_000],
  ["mo", 2_592_000_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A length in its largest unit: "9 d", "3 h", "12 s". Months only from two on: "45 d" says more than "1 mo". */
export function durationText(ms: number): string {
  const length = Math.abs(ms);
  if (length < 1_000) return length === 0 ? "0 s" : `${Math.round(length)} ms`;
  const [unit, size] = units.find(([name, each]) => length >= (name === "mo" ? 2 * each : each)) ?? [
    "s",
    1_000,
  ];
  return `${Math.floor(length / size)} ${unit}`;
}

/** A short length with its fraction, as timelines show it: "0.41 s", "12 s", "1 min 5 s". */
export function elapsedText(ms: number): string {
  if (ms < 10) return "<0.01 s";
  if (ms < 10_000) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  return durationText(ms);
}

/** "in 9 d", "3 d ago", "now". */
export function relativeText(at: Date, now: Date): string {
  const ms = at.getTime() - now.getTime();
  if (Math.abs(ms) < 1_000) return "now";
  return ms > 0 ? `in ${durationText(ms)}` : `${durationText(ms)} ago`;
}

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** "2026-11-23 22:41:05 UTC", or in the browser's zone with its offset: "2026-11-23 23:41:05 +01:00". */
export function exactText(at: Date, zone: "local" | "utc"): string {
  if (zone === "utc") return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const offset = -at.getTimezoneOffset();
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  const sign = offset < 0 ? "-" : "+";
  return `${day} ${time} ${sign}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
}

/** "12,044". */
export function numberText(value: number): string {
  return value.toLocaleString("en-GB");
}

/** "1 certificate", "12,044 certificates". */
export function countText(value: number, noun: string, plural = `${noun}s`): string {
  return `${numberText(value)} ${value === 1 ? noun : plural}`;
}
