import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { serverNow, useNow } from "../clock/now.ts";
import { usePreferences } from "../preferences/preferences.ts";
import { exactText, relativeText } from "./time-text.ts";
import { Tooltip } from "./tooltip.tsx";

export type Moment = Timestamp | Date | undefined;

export function dateOf(at: Timestamp | Date): Date {
  return at instanceof Date ? at : timestampDate(at);
}

/**
 * A moment: relative where recency counts, exact where the record does. On hover and focus both zones; what is copied
 * from there is exact.
 */
export function Time({
  at,
  isExact = false,
  none = "never",
}: {
  at: Moment;
  isExact?: boolean;
  none?: string;
}) {
  const { zone } = usePreferences();
  // Drawn again every few seconds; whatever else draws it meanwhile must not see a moment of now in the future.
  useNow();
  const now = serverNow();
  if (!at) return <span className="text-fg2">{none}</span>;
  const date = dateOf(at);
  const local = exactText(date, "local");
  const utc = exactText(date, "utc");
  return (
    <Tooltip
      text={
        <span className="flex flex-col">
          <span>{relativeText(date, now)}</span>
          <span>{local}</span>
          <span>{utc}</span>
        </span>
      }
    >
      <time dateTime={date.toISOString()} className="whitespace-nowrap">
        {isExact ? (zone === "utc" ? utc : local) : relativeText(date, now)}
      </time>
    </Tooltip>
  );
}
