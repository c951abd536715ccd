import { useSyncExternalStore } from "react";

/*
 * The control plane's time: the browser's, corrected by what the server says. Pages that show ages are drawn again
 * every few seconds, all together.
 */

const everyMs = 5_000;
let offsetMs = 0;
let shown = new Date();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  shown = new Date(Date.now() + offsetMs);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, everyMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Told by every heartbeat. */
export function correctClock(serverTime: Date): void {
  const off = serverTime.getTime() - Date.now();
  // What lies within a heartbeat's way is the network, not the clock.
  if (Math.abs(off - offsetMs) < 2_000) return;
  offsetMs = off;
  tick();
}

/** The time now, on the control plane's clock. */
export function serverNow(): Date {
  return new Date(Date.now() + offsetMs);
}

export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => shown);
}
