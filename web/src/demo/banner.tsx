import { FlaskConical } from "lucide-react";
import { Button } from "../ui/button.tsx";
import { isDemo, leaveDemo } from "./mode.ts";

/** Cannot be missed, and does not go away. */
export function DemoBanner() {
  if (!isDemo()) return null;
  return (
    <aside
      aria-label="Demo"
      className="tone-warn tone-fill flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-1.5 font-medium text-bg0"
    >
      <FlaskConical aria-hidden size={16} />
      <span className="min-w-0 flex-1">
        Demo: all of this is made up. What you do works in this browser only and is not saved.
      </span>
      <Button isSmall onClick={leaveDemo}>
        Leave the demo
      </Button>
    </aside>
  );
}
