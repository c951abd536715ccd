import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { createQueries } from "./api/queries.ts";
import { createRestTransport } from "./api/transport.ts";
import { startLive } from "./live/start-live.ts";
import { startPreferences } from "./preferences/preferences.ts";
import { createPages } from "./routes.tsx";
import { callHeaders, signedOut, startPresence } from "./session/presence.ts";
import "./styles.css";

startPreferences();
startPresence();
const transport = createRestTransport({
  headers: callHeaders,
  onAnswer(status, method) {
    // A key that was mistyped in one tab signs nobody out in another.
    if (status === 401 && method !== SessionService.method.createSession) signedOut();
  },
});
const queries = createQueries();
startLive(transport, queries);
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={createPages()} />
      </QueryClientProvider>
    </TransportProvider>
  </StrictMode>,
);
