import type { Transport } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, useEffect, useState } from "react";
import { createQueries } from "./api/queries.ts";
import { startLive } from "./live/start-live.ts";
import { createPages } from "./routes.tsx";

/** The dashboard over what answers its calls; tabs with the same stream name share one stream of events. */
export function App({ transport, streamName }: { transport: Transport; streamName: string }) {
  const [queries] = useState(createQueries);
  const [pages] = useState(createPages);
  useEffect(() => startLive(transport, queries, streamName), [transport, queries, streamName]);
  return (
    <StrictMode>
      <TransportProvider transport={transport}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={pages} />
        </QueryClientProvider>
      </TransportProvider>
    </StrictMode>
  );
}
