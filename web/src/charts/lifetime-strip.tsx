import { useNow } from "../clock/now.ts";
import { cx } from "../ui/class-names.ts";
import { type Tone, toneClass } from "../ui/tone.ts";

/**
 * How much of its own life is left, with a tick where the renewal is planned. It repeats what the text beside it says, so
 * it is hidden from screen readers.
 */
export function LifetimeStrip({
  start,
  end,
  renewal,
  tone,
}: {
  start: Date;
  end: Date;
  renewal: Date | undefined;
  tone: Tone;
}) {
  const now = useNow();
  const life = end.getTime() - start.getTime();
  const share = (at: Date) => Math.min(1, Math.max(0, (end.getTime() - at.getTime()) / life));
  return (
    <span
      aria-hidden
      className={cx(toneClass[tone], "relative inline-block h-1 w-10 shrink-0 rounded-full bg-bg3")}
    >
      <span
        className="tone-fill absolute inset-y-0 left-0 rounded-full"
        style={{ width: `${share(now) * 100}%` }}
      />
      {renewal && (
        <span
          className="-top-0.5 -bottom-0.5 absolute w-px bg-fg1"
          style={{ left: `${share(renewal) * 100}%` }}
        />
      )}
    </span>
  );
}
