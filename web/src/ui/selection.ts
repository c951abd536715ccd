import { useMemo, useState } from "react";

/** The chosen rows. They stay chosen when the page turns. */
export interface Selection {
  keys: ReadonlySet<string>;
  set(key: string, isChosen: boolean): void;
  setAll(keys: readonly string[], isChosen: boolean): void;
  clear(): void;
}

const none: ReadonlySet<string> = new Set();

export function useSelection(): Selection {
  const [keys, setKeys] = useState(none);
  return useMemo(() => {
    const setAll = (changed: readonly string[], isChosen: boolean) =>
      setKeys((before) => {
        const after = new Set(before);
        for (const key of changed) {
          if (isChosen) after.add(key);
          else after.delete(key);
        }
        return after;
      });
    return { keys, set: (key, isChosen) => setAll([key], isChosen), setAll, clear: () => setKeys(none) };
  }, [keys]);
}
