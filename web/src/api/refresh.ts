import type { DescService } from "@bufbuild/protobuf";
import { createConnectQueryKey } from "@connectrpc/connect-query";
import type { QueryClient } from "@tanstack/react-query";

/** Has what was asked of these services asked again: after a write, without waiting for the event that tells of it. */
export async function refresh(queries: QueryClient, ...services: readonly DescService[]): Promise<void> {
  await Promise.all(
    services.map((schema) =>
      queries.invalidateQueries({ queryKey: createConnectQueryKey({ schema, cardinality: undefined }) }),
    ),
  );
}
