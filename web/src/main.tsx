import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createQueries } from "./api/queries.ts";
import { createRestTransport } from "./api/transport.ts";
import { startPreferences } from "./preferences/preferences.ts";
import { createPages } from "./routes.tsx";
import "./styles.css";

startPreferences();
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <TransportProvider transport={createRestTransport()}>
      <QueryClientProvider client={createQueries()}>
        <RouterProvider router={createPages()} />
      </QueryClientProvider>
    </TransportProvider>
  </StrictMode>,
);
