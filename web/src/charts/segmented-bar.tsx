import { Link } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import { cx } from "../ui/class-names.ts";
import { numberText } from "../ui/time-text.ts";
import { type Tone, toneClass } from "../ui/tone.ts";

export interface Segment {
  key: string;
  label: string;
  value: number;
  tone: Tone;
  icon: LucideIcon;
  /** The list of what it counts. */
  to: string;
  search: Readonly<Record<string, string>>;
}

/** Parts of a whole in their states' colours, each a link to what it counts. The legend says the same in words. */
export function SegmentedBar({ segments, label }: { segments: readonly Segment[]; label: string }) {
  const total = segments.reduce((sum, { value }) => sum + value, 0);
  return (
    <div className="flex flex-col gap-3">
      <div aria-hidden className="flex h-2.5 gap-0.5 overflow-hidden rounded-control bg-bg3">
        {segments
          .filter(({ value }) => value > 0)
          .map(({ key, value, tone }) => (
            <span
              key={key}
              className={cx(toneClass[tone], "tone-fill min-w-1")}
              style={{ flexGrow: value / Math.max(total, 1), flexBasis: 0 }}
            />
          ))}
      </div>
      <ul aria-label={label} className="flex flex-wrap gap-x-5 gap-y-1.5">
        {segments.map(({ key, label: name, value, tone, icon: Icon, to, search }) => (
          <li key={key}>
            <Link
              to={to}
              search={search as never}
              className={cx(
                toneClass[value === 0 ? "muted" : tone],
                "inline-flex items-center gap-1.5 rounded-control hover:text-accent",
                value === 0 && "text-fg2",
              )}
            >
              <Icon aria-hidden size={14} className="tone-text shrink-0" />
              <span className="font-medium">{numberText(value)}</span> {name}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
