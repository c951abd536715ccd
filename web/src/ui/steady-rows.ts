import { useRef, useState } from "react";

export interface SteadyRows<Row> {
  rows: readonly Row[];
  /** How many came, went or moved and are not shown yet. */
  waiting: number;
  show(): void;
}

/**
 * Keeps rows where they are while somebody points at them or has chosen some: what changes is drawn in place, what comes
 * and goes waits. Another `page` is another list.
 */
export function useSteadyRows<Row>(options: {
  rows: readonly Row[];
  keyOf(row: Row): string;
  page: string;
  isHeld: boolean;
}): SteadyRows<Row> {
  const { rows, keyOf, page, isHeld } = options;
  const held = useRef<{ page: string; rows: readonly Row[] }>({ page, rows });
  const [, redraw] = useState(0);
  const isOther = held.current.page !== page || held.current.rows.length === 0;
  if (isOther || !isHeld) held.current = { page, rows };
  else held.current = { page, rows: inPlace(held.current.rows, rows, keyOf) };
  return {
    rows: held.current.rows,
    waiting: differences(held.current.rows.map(keyOf), rows.map(keyOf)),
    show() {
      held.current = { page, rows };
      redraw((times) => times + 1);
    },
  };
}

/** The rows that are shown, with what is new of each. */
export function inPlace<Row>(
  shown: readonly Row[],
  next: readonly Row[],
  keyOf: (row: Row) => string,
): readonly Row[] {
  const byKey = new Map(next.map((row) => [keyOf(row), row]));
  const rows = shown.map((row) => byKey.get(keyOf(row)) ?? row);
  return rows.every((row, index) => row === shown[index]) ? shown : rows;
}

/** How many keys came, went or changed places. */
export function differences(shown: readonly string[], next: readonly string[]): number {
  const before = new Set(shown);
  const after = new Set(next);
  const came = next.filter((key) => !before.has(key)).length;
  const went = shown.filter((key) => !after.has(key)).length;
  const stayedBefore = shown.filter((key) => after.has(key));
  const stayedAfter = next.filter((key) => before.has(key));
  const moved = stayedBefore.filter((key, index) => stayedAfter[index] !== key).length;
  return came + went + moved;
}
