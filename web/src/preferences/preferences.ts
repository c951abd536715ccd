import { useSyncExternalStore } from "react";

/** What a person likes; kept in the browser, shared by its tabs. */
export interface Preferences {
  theme: "dark" | "light" | "system";
  density: "compact" | "default" | "roomy";
  zone: "local" | "utc";
  /** Single-key shortcuts can be in the way of assistive technology (WCAG 2.1.4). */
  hasShortcuts: boolean;
}

const key = "certctl.preferences";
const defaults: Preferences = { theme: "dark", density: "default", zone: "local", hasShortcuts: true };
const listeners = new Set<() => void>();
let current = read();

function read(): Preferences {
  try {
    return { ...defaults, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Preferences>) };
  } catch {
    return defaults;
  }
}

function apply(next: Preferences): void {
  current = next;
  const prefersLight = matchMedia("(prefers-color-scheme: light)").matches;
  const isLight = next.theme === "light" || (next.theme === "system" && prefersLight);
  document.documentElement.dataset["theme"] = isLight ? "light" : "dark";
  document.documentElement.dataset["density"] = next.density;
  for (const listener of listeners) listener();
}

/** Follows the other tabs and the system's theme. */
export function startPreferences(): void {
  addEventListener("storage", (event) => event.key === key && apply(read()));
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => apply(current));
  apply(current);
}

export function setPreferences(changes: Partial<Preferences>): void {
  const next = { ...current, ...changes };
  try {
    localStorage.setItem(key, JSON.stringify(next));
  } catch {
    // A browser that keeps nothing still shows what was chosen.
  }
  apply(next);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
