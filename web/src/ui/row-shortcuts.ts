import { type RefObject, useMemo, useRef } from "react";
import { type Shortcut, useShortcuts } from "../shortcuts/registry.ts";
import type { Selection } from "./selection.ts";

/** j and k walk through the rows' links, x chooses, Shift+x chooses from the last chosen row to this one. */
export function useRowShortcuts(
  body: RefObject<HTMLElement | null>,
  keys: readonly string[],
  selection: Selection | undefined,
): void {
  const anchor = useRef<string | undefined>(undefined);
  const shortcuts = useMemo((): Shortcut[] => {
    const rows = () => [...(body.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
    const current = () => document.activeElement?.closest<HTMLElement>("[data-row]")?.dataset["row"];
    const move = (by: number) => {
      const all = rows();
      const at = all.findIndex((row) => row.dataset["row"] === current());
      const next =
        all[at === -1 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
      next?.querySelector<HTMLElement>("a, button")?.focus();
      next?.scrollIntoView({ block: "nearest" });
    };
    const walk: Shortcut[] = [
      { keys: "j", label: "Next row", group: "Lists", run: () => move(1) },
      { keys: "k", label: "Previous row", group: "Lists", run: () => move(-1) },
    ];
    if (!selection) return walk;
    const choose = () => {
      const key = current();
      if (key === undefined) return;
      anchor.current = key;
      selection.set(key, !selection.keys.has(key));
    };
    const chooseRange = () => {
      const [from, to] = [keys.indexOf(anchor.current ?? ""), keys.indexOf(current() ?? "")];
      if (to === -1) return;
      const start = from === -1 ? to : from;
      selection.setAll(keys.slice(Math.min(start, to), Math.max(start, to) + 1), true);
    };
    return [
      ...walk,
      { keys: "x", label: "Choose the row", group: "Lists", run: choose },
      { keys: "Shift+x", label: "Choose up to the row", group: "Lists", run: chooseRange },
    ];
  }, [body, keys, selection]);
  useShortcuts(shortcuts);
}
