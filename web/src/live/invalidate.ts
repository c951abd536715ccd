import type { Query, QueryClient } from "@tanstack/react-query";
import { type Change, isConcerned } from "./topics.ts";

export interface Invalidation {
  /** Has what the changes concern fetched again, soon. */
  add(...changes: Change[]): void;
  /** The same for everything. */
  all(): void;
}

/** What comes within this time is fetched again once. */
const collectMs = 300;
/** A fetch that takes longer holds the next one up no more. */
const patienceMs = 5_000;

/** Answers that are shown are fetched again, others when they are asked for. One round after the other: a storm of changes must not restart a slow fetch for ever. */
export function createInvalidation(queries: QueryClient): Invalidation {
  let changes: Change[] = [];
  let isAll = false;
  let isRunning = false;

  async function run(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    try {
      while (changes.length > 0 || isAll) {
        await sleep(collectMs);
        const [told, everything] = [changes, isAll];
        [changes, isAll] = [[], false];
        const predicate = (query: Query) => everything || concerns(query, told);
        await Promise.race([queries.invalidateQueries({ predicate }), sleep(patienceMs)]);
      }
    } finally {
      isRunning = false;
    }
  }

  return {
    add(...more) {
      changes.push(...more);
      void run();
    },
    all() {
      isAll = true;
      void run();
    },
  };
}

/**
 * Whether the changes concern a query, by connect-query's key: ["connect-query", { serviceName, input, ... }]. One whose
 * `meta.isLive` is false asks again by its own staleTime: what counts a whole table must not do so at every row.
 */
function concerns({ queryKey: [, call], meta }: Query, changes: readonly Change[]): boolean {
  if (meta?.["isLive"] === false) return false;
  const { serviceName = "", input } = (call ?? {}) as {
    serviceName?: string;
    input?: Record<string, unknown>;
  };
  return isConcerned({ service: serviceName, input: input ?? {} }, changes);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
