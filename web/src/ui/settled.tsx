import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";

/** Answers lead to more questions: so long without any is the end. */
const quietMs = 40;
/** What takes longer is shown as it is: an answer that never comes must not hide the others. */
const patienceMs = 2_000;

/**
 * Shows its content when all that is asked for has an answer, so that nothing moves as the answers come in. Only once: what
 * changes later changes in place. What is fetched by code that is not there yet counts when a Suspense around this waits for it.
 */
export function Settled({ children }: { children: ReactNode }) {
  const [isReady, setReady] = useState(false);
  const queries = useQueryClient();
  useEffect(() => {
    const startedAt = performance.now();
    const timer = setInterval(() => {
      const waiting = queries.isFetching({ predicate: ({ state }) => state.status === "pending" });
      if (waiting > 0 && performance.now() - startedAt < patienceMs) return;
      clearInterval(timer);
      setReady(true);
    }, quietMs);
    return () => clearInterval(timer);
  }, [queries]);
  return (
    <div aria-busy={!isReady} className={isReady ? "contents" : "invisible flex flex-col gap-4"}>
      {children}
    </div>
  );
}
