import { usePreferences } from "../preferences/preferences.ts";
import { exactText } from "../ui/time-text.ts";
import { toneClass } from "../ui/tone.ts";
import { Tooltip } from "../ui/tooltip.tsx";
import { useConnection } from "./connection.ts";

const words = {
  connecting: { text: "Connecting", tone: "muted" },
  live: { text: "Live", tone: "ok" },
  reconnecting: { text: "Reconnecting", tone: "warn" },
  offline: { text: "Offline", tone: "bad" },
} as const;

/** Whether what is shown is what is true, and if not, of when it is. */
export function ConnectionState() {
  const { state, asOf } = useConnection();
  const { zone } = usePreferences();
  const { text, tone } = words[state];
  const isOld = state === "reconnecting" || state === "offline";
  const age = isOld && asOf ? `data as of ${exactText(asOf, zone).slice(11)}` : "";
  return (
    <Tooltip text={age || "Changes show here as they happen"}>
      <span role="status" className="inline-flex items-center gap-1.5 text-fg1">
        <span aria-hidden className={`${toneClass[tone]} tone-fill size-2 rounded-full`} />
        {text}
        {age && <span className="hidden text-fg2 md:inline">{age}</span>}
      </span>
    </Tooltip>
  );
}
