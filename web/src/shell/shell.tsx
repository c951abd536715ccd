import { Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useMemo, useState } from "react";
import { DemoBanner } from "../demo/banner.tsx";
import { useConnection } from "../live/connection.ts";
import { SessionGuard } from "../session/session-guard.tsx";
import { SessionNotice } from "../session/session-notice.tsx";
import { useShortcutListener } from "../shortcuts/listen.ts";
import { type Shortcut, useShortcuts } from "../shortcuts/registry.ts";
import { cx } from "../ui/class-names.ts";
import { Toasts } from "../ui/toast.tsx";
import { TooltipLayer } from "../ui/tooltip.tsx";
import { Nav } from "./nav.tsx";
import { navigation } from "./navigation.ts";
import { TopBar } from "./top-bar.tsx";

const Palette = lazy(() => import("./palette/palette.tsx").then(({ Palette }) => ({ default: Palette })));
const Help = lazy(() => import("./help.tsx").then(({ Help }) => ({ default: Help })));

/** What is around every page. */
export function Shell() {
  const [layer, setLayer] = useState<"palette" | "help" | "nav">();
  const { state } = useConnection();
  const navigate = useNavigate();
  useShortcutListener();
  useShortcuts(
    useMemo((): Shortcut[] => {
      const goTo = navigation
        .flatMap(({ entries }) => [...entries])
        .map(
          ({ to, label, keys }): Shortcut => ({
            keys,
            label,
            group: "Go to",
            run: () => void navigate({ to }),
          }),
        );
      return [
        { keys: "mod+k", label: "Search or jump", group: "Everywhere", run: () => setLayer("palette") },
        { keys: "?", label: "Keyboard shortcuts", group: "Everywhere", run: () => setLayer("help") },
        ...goTo,
      ];
    }, [navigate]),
  );
  const close = () => setLayer(undefined);
  const isOld = state === "reconnecting" || state === "offline";
  return (
    <>
      <a
        href="#main"
        className="-translate-y-12 fixed top-2 left-2 z-50 rounded-control border border-line2 bg-bg2 px-3 py-1 focus:translate-y-0"
      >
        Skip to the page
      </a>
      <div className="flex h-dvh flex-col">
        <DemoBanner />
        <div className="flex min-h-0 flex-1">
          <Nav isOpen={layer === "nav"} onNavigate={close} />
          <div className="flex min-w-0 flex-1 flex-col">
            <TopBar
              onSearch={() => setLayer("palette")}
              onMenu={() => setLayer(layer === "nav" ? undefined : "nav")}
            />
            <SessionNotice />
            <main
              id="main"
              tabIndex={-1}
              className={cx("min-h-0 flex-1 overflow-y-auto outline-none", isOld && "stale")}
            >
              <Outlet />
            </main>
          </div>
        </div>
      </div>
      <Suspense>
        {layer === "palette" && <Palette onClose={close} />}
        {layer === "help" && <Help onClose={close} />}
      </Suspense>
      <Toasts />
      <TooltipLayer />
      <SessionGuard />
    </>
  );
}
