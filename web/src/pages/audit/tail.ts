import { useEffect, useState } from "react";

interface Held<Rows> {
  rows: Rows;
  total: number;
}

export interface Tail<Rows> {
  rows: Rows;
  isPaused: boolean;
  /** How many came since; none is lost. */
  waiting: number;
  pause(): void;
  resume(): void;
}

/** So far down one is reading, not watching. */
const readingPx = 80;

/**
 * A list that grows at its top while one watches. It stands still when one pauses it, and by itself when one scrolls down to
 * read. Another `list` is watched from the beginning.
 */
export function useTail<Rows>(live: { rows: Rows; total: number; list: string }): Tail<Rows> {
  const { rows, total, list } = live;
  const [held, setHeld] = useState<(Held<Rows> & { list: string }) | undefined>();
  const isPaused = held !== undefined && held.list === list;
  useEffect(() => {
    const main = document.getElementById("main");
    const onScroll = () => {
      if (main && main.scrollTop > readingPx) setHeld((before) => before ?? { rows, total, list });
    };
    main?.addEventListener("scroll", onScroll, { passive: true });
    return () => main?.removeEventListener("scroll", onScroll);
  }, [rows, total, list]);
  return {
    rows: isPaused ? held.rows : rows,
    isPaused,
    waiting: isPaused ? Math.max(0, total - held.total) : 0,
    pause: () => setHeld({ rows, total, list }),
    resume() {
      setHeld(undefined);
      document.getElementById("main")?.scrollTo({ top: 0 });
    },
  };
}
