import { AlarmClock } from "lucide-react";
import { serverNow } from "../../clock/now.ts";
import { Button } from "../../ui/button.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";

const hourMs = 3_600_000;
const spans = [
  { label: "For an hour", ms: hourMs },
  { label: "For a day", ms: 24 * hourMs },
  { label: "For 3 days", ms: 72 * hourMs },
  { label: "For a week", ms: 168 * hourMs },
];

/** Hides until later, or brings back. */
export function SnoozeMenu({
  reason,
  isSnoozed,
  onSnooze,
}: {
  reason: string | undefined;
  isSnoozed: boolean;
  onSnooze(until: Date | undefined): void;
}) {
  return (
    <Menu
      align="start"
      trigger={
        <Button icon={AlarmClock} disabledReason={reason}>
          Snooze
        </Button>
      }
    >
      {spans.map(({ label, ms }) => (
        <MenuItem
          key={label}
          disabledReason={reason}
          onSelect={() => onSnooze(new Date(serverNow().getTime() + ms))}
        >
          {label}
        </MenuItem>
      ))}
      {isSnoozed && (
        <MenuItem disabledReason={reason} onSelect={() => onSnooze(undefined)}>
          Bring back now
        </MenuItem>
      )}
    </Menu>
  );
}
