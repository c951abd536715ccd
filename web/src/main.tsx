import type { Transport } from "@connectrpc/connect";
import { createRoot } from "react-dom/client";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { createRestTransport } from "./api/transport.ts";
import { App } from "./app.tsx";
import { enterDemo, hasHeldSession, isDemoAsked, noteSession } from "./demo/mode.ts";
import { startPreferences } from "./preferences/preferences.ts";
import { callHeaders, signedOut, startPresence } from "./session/presence.ts";
import "./styles.css";

startPreferences();
startPresence();
const element = document.getElementById("root");
if (!element) throw new Error("index.html has no #root");
const root = createRoot(element);
const show = (transport: Transport, streamName: string) =>
  root.render(<App key={streamName} transport={transport} streamName={streamName} />);

if (isDemoAsked()) void showDemo();
else showControlPlane();

function showControlPlane(): void {
  let wasReached = false;
  const transport = createRestTransport({
    headers: callHeaders,
    onAnswer(status, method) {
      wasReached = true;
      if (status === 200 && method === SessionService.method.getSession) noteSession();
      // A key that was mistyped in one tab signs nobody out in another.
      if (status === 401 && method !== SessionService.method.createSession) signedOut();
    },
    onUnreachable() {
      if (wasReached || hasHeldSession()) return;
      wasReached = true;
      void showDemo();
    },
  });
  show(transport, "certctl.events");
}

async function showDemo(): Promise<void> {
  const { createDemoTransport } = await import("./demo/transport.ts");
  enterDemo();
  // Each tab's demo is its own: its events must reach no other.
  show(createDemoTransport(), `certctl.demo.${crypto.randomUUID()}`);
}
