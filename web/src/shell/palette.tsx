import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Dialog } from "../ui/dialog.tsx";
import { navigation } from "./navigation.ts";

/** Goes anywhere by typing. */
export function Palette({ onClose }: { onClose(): void }) {
  const navigate = useNavigate();
  return (
    <Dialog title="Search or jump to" onClose={onClose}>
      <Command label="Search or jump to">
        <Command.Input
          autoFocus
          placeholder="Type a view"
          className="h-9 w-full rounded-control border border-line3 bg-bg0 px-3"
        />
        <Command.List className="mt-2 max-h-80 overflow-y-auto">
          <Command.Empty className="px-2 py-4 text-fg2">Nothing found</Command.Empty>
          {navigation
            .flatMap(({ entries }) => [...entries])
            .map(({ to, label, icon: Icon }) => (
              <Command.Item
                key={to}
                value={label}
                onSelect={() => {
                  onClose();
                  void navigate({ to });
                }}
                className="flex items-center gap-2 rounded-control px-2 py-1.5 data-[selected=true]:bg-bg3"
              >
                <Icon aria-hidden size={14} />
                {label}
              </Command.Item>
            ))}
        </Command.List>
      </Command>
    </Dialog>
  );
}
