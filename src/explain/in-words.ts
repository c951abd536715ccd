const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A length of time in its largest unit: "9 d", "3 h", "12 min", "5 s". */
export function inWords(ms: number): string {
  if (ms >= dayMs) return `${Math.floor(ms / dayMs)} d`;
  if (ms >= hourMs) return `${Math.floor(ms / hourMs)} h`;
  if (ms >= minuteMs) return `${Math.floor(ms / minuteMs)} min`;
  return `${Math.max(0, Math.floor(ms / 1_000))} s`;
}

/** "1 target", "4 targets". */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
