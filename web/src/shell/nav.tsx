import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { NotificationGroupState, NotificationService } from "#gen/certctl/v1/notifications_pb.ts";
import { usePermission } from "../session/session.ts";
import { navigation } from "./navigation.ts";

type Entry = (typeof navigation)[number]["entries"][number];

/** The views. Below 1024 px it is a row of icons at the left, below 640 px it opens from the top bar. */
export function Nav({ isOpen, onNavigate }: { isOpen: boolean; onNavigate(): void }) {
  return (
    <nav
      aria-label="Views"
      className={`${isOpen ? "fixed inset-0 top-11 z-40 flex" : "hidden"} w-full flex-col gap-4 overflow-y-auto border-line1 border-r bg-bg0 p-2 sm:static sm:flex sm:w-[52px] lg:w-52`}
    >
      <Link
        to="/"
        onClick={onNavigate}
        className="hidden h-8 items-center gap-2 px-2 font-semibold sm:flex"
        aria-label="certctl, overview"
      >
        <img src="/favicon.svg" alt="" width={20} height={20} />
        <span className="hidden text-[15px] lg:inline">certctl</span>
      </Link>
      {navigation.map(({ label, entries }) => (
        <div key={label ?? "first"}>
          {label && <p className="px-2 pb-1 text-fg2 text-sm sm:hidden lg:block">{label}</p>}
          <ul className="flex flex-col gap-0.5">
            {entries.map((entry) => (
              <NavEntry key={entry.to} entry={entry} onNavigate={onNavigate} />
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** How many problems wait in the inbox; its page says the same to those who listen. */
function OpenProblems() {
  const wanted = { state: [NotificationGroupState.OPEN], perPage: 1 };
  const open = useQuery(NotificationService.method.listNotificationGroups, wanted).data?.total ?? 0;
  if (open === 0) return null;
  return (
    <span aria-hidden className="text-fg2 text-sm sm:hidden lg:inline">
      {open > 999 ? "999+" : open}
    </span>
  );
}

function NavEntry({ entry, onNavigate }: { entry: Entry; onNavigate(): void }) {
  const { isAllowed } = usePermission(entry.permission ?? "");
  if (entry.permission && !isAllowed) return null;
  const Icon = entry.icon;
  return (
    <li>
      <Link
        to={entry.to}
        activeOptions={{ exact: entry.to === "/" }}
        onClick={onNavigate}
        title={entry.label}
        className="flex h-8 items-center gap-2.5 rounded-control px-2 text-fg1 hover:bg-bg2 hover:text-fg0 aria-[current=page]:bg-bg3 aria-[current=page]:text-fg0"
      >
        <Icon aria-hidden size={16} className="shrink-0" />
        <span className="flex-1 sm:sr-only lg:not-sr-only">{entry.label}</span>
        {entry.to === "/inbox" && <OpenProblems />}
      </Link>
    </li>
  );
}
