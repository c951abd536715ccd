import { useMemo } from "react";
import { serverNow } from "../../clock/now.ts";
import { type Shortcut, useShortcuts } from "../../shortcuts/registry.ts";
import type { Selection } from "../../ui/selection.ts";
import { toast } from "../../ui/toast.tsx";
import type { GroupActions } from "./group-actions.ts";

const dayMs = 86_400_000;

/** e acknowledges and s snoozes for a day: what is chosen, or else the row that has the focus. */
export function useInboxShortcuts(selection: Selection, actions: GroupActions): void {
  const { acknowledge, snooze, reason } = actions;
  const shortcuts = useMemo((): Shortcut[] => {
    const chosen = () => {
      if (selection.keys.size > 0) return [...selection.keys];
      const row = document.activeElement?.closest<HTMLElement>("[data-row]")?.dataset["row"];
      return row === undefined ? [] : [row];
    };
    const run = (act: (ids: readonly string[]) => void) => () => {
      const ids = chosen();
      if (reason) toast(reason);
      else if (ids.length === 0) toast("Choose a problem first: j and k walk, x chooses");
      else act(ids);
    };
    return [
      { keys: "e", label: "Acknowledge", group: "This page", run: run((ids) => acknowledge(ids)) },
      {
        keys: "s",
        label: "Snooze for a day",
        group: "This page",
        run: run((ids) => snooze(ids, new Date(serverNow().getTime() + dayMs))),
      },
    ];
  }, [selection.keys, acknowledge, snooze, reason]);
  useShortcuts(shortcuts);
}
