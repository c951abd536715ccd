import { Code, ConnectError } from "@connectrpc/connect";
import { QueryClient } from "@tanstack/react-query";

/** A refusal stays one; only what may pass is asked for again. */
const passing: readonly Code[] = [Code.Unavailable, Code.DeadlineExceeded, Code.ResourceExhausted];

/** Answers are true until the event stream says otherwise, so nothing is fetched again for its age alone. */
export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        retry: (times, error) => times < 2 && error instanceof ConnectError && passing.includes(error.code),
        retryDelay: (times) => 500 * 2 ** times,
      },
      mutations: { retry: false },
    },
  });
}
