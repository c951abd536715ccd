import { useEffect, useSyncExternalStore } from "react";

/** A key, a sequence or a chord, and what it does: "j", "g c", "mod+k". `mod` is Ctrl, and Command on a Mac. */
export interface Shortcut {
  keys: string;
  /** For the help: "Move down". */
  label: string;
  group: "Everywhere" | "Go to" | "Lists" | "This page";
  run(): void;
}

const registered = new Set<Shortcut>();
const listeners = new Set<() => void>();
let listed: readonly Shortcut[] = [];

function changed(): void {
  listed = [...registered];
  for (const listener of listeners) listener();
}

/** The newest of several that share their keys wins: a page over the shell. */
export function findShortcut(keys: string): Shortcut | undefined {
  return listed.findLast((shortcut) => shortcut.keys === keys);
}

export function isStartOfShortcut(keys: string): boolean {
  return listed.some((shortcut) => shortcut.keys.startsWith(`${keys} `));
}

/** Registers shortcuts while the caller is mounted. Pass an array that is kept by `useMemo`. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  useEffect(() => {
    for (const shortcut of shortcuts) registered.add(shortcut);
    changed();
    return () => {
      for (const shortcut of shortcuts) registered.delete(shortcut);
      changed();
    };
  }, [shortcuts]);
}

export function useRegisteredShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => listed,
  );
}
