import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "./class-names.ts";
import { type Tone, toneClass } from "./tone.ts";

/** A state: colour, icon and word. */
export function Badge({ tone, icon: Icon, children }: { tone: Tone; icon: LucideIcon; children: ReactNode }) {
  return (
    <span
      className={cx(
        toneClass[tone],
        "tone-text tone-tint inline-flex h-5 items-center gap-1 whitespace-nowrap rounded-control px-1.5 font-medium text-sm",
      )}
    >
      <Icon aria-hidden size={12} strokeWidth={2.25} />
      {children}
    </span>
  );
}

/** The same without a surface, for places that are dense already. */
export function State({ tone, icon: Icon, children }: { tone: Tone; icon: LucideIcon; children: ReactNode }) {
  return (
    <span className={cx(toneClass[tone], "inline-flex items-center gap-1.5 whitespace-nowrap")}>
      <Icon aria-hidden size={14} className="tone-text shrink-0" />
      {children}
    </span>
  );
}
