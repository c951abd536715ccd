import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { CircleUser, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { setPreferences, usePreferences } from "../preferences/preferences.ts";
import { IconButton } from "../ui/button.tsx";
import { Menu, MenuCheckbox, MenuItem, MenuLabel, MenuSeparator } from "../ui/menu.tsx";
import { Time } from "../ui/time.tsx";
import { signedOut } from "./presence.ts";
import { roleWords, useSession } from "./session.ts";

const themes = [
  ["dark", "Dark", Moon],
  ["light", "Light", Sun],
  ["system", "As the system", Monitor],
] as const;

/** Who one is here, and how one likes it. */
export function AccountMenu() {
  const { theme, zone } = usePreferences();
  return (
    <Menu trigger={<IconButton icon={CircleUser} label="Account and preferences" />}>
      <Who />
      <MenuLabel>Theme</MenuLabel>
      {themes.map(([value, label, icon]) => (
        <MenuItem
          key={value}
          icon={icon}
          onSelect={() => setPreferences({ theme: value })}
          hint={theme === value && "✓"}
        >
          {label}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuCheckbox
        isChecked={zone === "utc"}
        onChange={(isUtc) => setPreferences({ zone: isUtc ? "utc" : "local" })}
      >
        Times in UTC
      </MenuCheckbox>
      <SignOut />
    </Menu>
  );
}

function Who() {
  const session = useSession();
  if (!session) return null;
  const reach = [...session.teamIds, ...session.issuerIds];
  return (
    <>
      <div className="flex flex-col gap-0.5 px-2 py-1.5">
        <span className="truncate font-medium">{session.name || session.principalId}</span>
        <span className="text-fg2 text-sm">
          {roleWords.text(session.role)} · <span className="font-mono">{session.principalId}</span>
        </span>
        {reach.length > 0 && <span className="text-fg2 text-sm">reaches {reach.join(", ")}</span>}
        {session.expiresAt && (
          <span className="text-fg2 text-sm">
            {session.id ? "session" : "key"} ends <Time at={session.expiresAt} />
          </span>
        )}
      </div>
      <MenuSeparator />
    </>
  );
}

/** Where no key is asked for, there is nothing to sign out of. */
function SignOut() {
  const queries = useQueryClient();
  const session = useSession();
  const signOut = useMutation(SessionService.method.deleteSession, {
    onSuccess() {
      signedOut();
      queries.clear();
    },
  });
  if (!session?.id) return null;
  return (
    <>
      <MenuSeparator />
      <MenuItem icon={LogOut} onSelect={() => signOut.mutate({})}>
        Sign out
      </MenuItem>
    </>
  );
}
