import { useSyncExternalStore } from "react";

/*
 * Whether somebody is there, and signed in. Tabs tell each other, so that signing out in one ends all.
 */

export type Presence = "in" | "out";

const channel = new BroadcastChannel("certctl.session");
const listeners = new Set<() => void>();
/** Who begins at the page for signing in is nobody yet; elsewhere the first answer says so. */
let presence: Presence = globalThis.location?.pathname === "/sign-in" ? "out" : "in";
let lastInputAt = Date.now();
let lastUseAt = Date.now();

/** Without a hand on the machine for so long, what a page fetches by itself is no use of the session. */
const unattendedAfterMs = 60_000;

function set(next: Presence): void {
  if (presence === next) return;
  presence = next;
  for (const listener of listeners) listener();
}

/** Notes when somebody is at the page, and follows the other tabs. */
export function startPresence(): void {
  const note = () => {
    lastInputAt = Date.now();
  };
  for (const event of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"])
    addEventListener(event, note, { passive: true, capture: true });
  channel.addEventListener("message", ({ data }: MessageEvent<Presence>) => set(data));
}

/** Told by the first answer that says so, or by the button. */
export function signedOut(): void {
  set("out");
  channel.postMessage("out" satisfies Presence);
}

export function signedIn(): void {
  lastUseAt = Date.now();
  set("in");
  channel.postMessage("in" satisfies Presence);
}

export function getPresence(): Presence {
  return presence;
}

/** Called at every change from here on. */
export function onPresence(listener: (presence: Presence) => void): () => void {
  const told = () => listener(presence);
  listeners.add(told);
  return () => listeners.delete(told);
}

export function usePresence(): Presence {
  return useSyncExternalStore(onPresence, () => presence);
}

/** The header of a call: one that nobody is there for does not keep the session alive. */
export function callHeaders(): Record<string, string> {
  const now = Date.now();
  if (now - lastInputAt > unattendedAfterMs) return { "certctl-unattended": "1" };
  lastUseAt = now;
  return {};
}

/** When the session counts as last used, as far as this tab knows. */
export function lastUse(): number {
  return lastUseAt;
}
