import { CircleUser, Menu as MenuIcon, Search } from "lucide-react";
import { lazy, Suspense } from "react";
import { ConnectionState } from "../live/connection-state.tsx";
import { IconButton } from "../ui/button.tsx";

// The menu's code is needed by a click, not by the first paint.
const AccountMenu = lazy(() =>
  import("../session/account-menu.tsx").then(({ AccountMenu }) => ({ default: AccountMenu })),
);

export function TopBar({ onSearch, onMenu }: { onSearch(): void; onMenu(): void }) {
  return (
    <header className="flex h-11 shrink-0 items-center gap-2 border-line1 border-b bg-bg0 px-2 sm:px-4">
      <IconButton className="sm:!hidden" icon={MenuIcon} label="Views" onClick={onMenu} />
      <button
        type="button"
        onClick={onSearch}
        className="flex h-7 min-w-0 max-w-72 flex-1 items-center gap-2 rounded-control border border-line3 bg-bg0 px-2 text-fg2 hover:text-fg1"
      >
        <Search aria-hidden size={14} className="shrink-0" />
        <span className="flex-1 truncate text-left">Search or jump to…</span>
        <kbd className="hidden rounded-[3px] border border-line2 px-1 font-mono text-xs sm:inline">
          Ctrl K
        </kbd>
      </button>
      <div className="ml-auto flex items-center gap-2">
        <ConnectionState />
        <Suspense fallback={<IconButton icon={CircleUser} label="Account and preferences" />}>
          <AccountMenu />
        </Suspense>
      </div>
    </header>
  );
}
