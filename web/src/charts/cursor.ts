import { type KeyboardEvent, useState } from "react";

/**
 * One value of a chart at a time, chosen by pointer or by keyboard: to assistive technology a slider over the values. A
 * chart is one stop of the tab key, however many values it has.
 */
export function useCursor({
  label,
  count,
  textOf,
  step = 1,
}: {
  /** What the values are. */
  label: string;
  count: number;
  textOf(index: number): string;
  /** How many values the next one to the right is away. */
  step?: number;
}) {
  const [index, setIndex] = useState<number>();
  const at = index === undefined || index >= count ? undefined : index;
  const moveTo = (wanted: number) => setIndex(Math.max(0, Math.min(count - 1, wanted)));
  const onKeyDown = (event: KeyboardEvent) => {
    const from = at ?? 0;
    const targets: Record<string, number> = {
      ArrowLeft: from - step,
      ArrowRight: from + step,
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - 7 * step,
      PageDown: from + 7 * step,
      Home: 0,
      End: count - 1,
    };
    const wanted = targets[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    moveTo(wanted);
  };
  return {
    /** The value that is looked at; undefined: none. */
    index: at,
    look: moveTo,
    leave: () => setIndex(undefined),
    slider: {
      role: "slider",
      tabIndex: 0,
      "aria-label": label,
      "aria-valuemin": 0,
      "aria-valuemax": Math.max(0, count - 1),
      "aria-valuenow": at ?? 0,
      "aria-valuetext": count === 0 ? "nothing" : textOf(at ?? 0),
      onKeyDown,
      onFocus: () => moveTo(at ?? 0),
      onBlur: () => setIndex(undefined),
    },
  } as const;
}
