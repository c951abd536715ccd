import { useSyncExternalStore } from "react";

/** How the page stands to the control plane. */
export interface Connection {
  state: "connecting" | "live" | "reconnecting" | "offline";
  /** When what is shown was last known to be true. */
  asOf: Date | undefined;
}

const listeners = new Set<() => void>();
let current: Connection = { state: "connecting", asOf: undefined };

export function setConnection(next: Connection): void {
  current = next;
  for (const listener of listeners) listener();
}

export function getConnection(): Connection {
  return current;
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
