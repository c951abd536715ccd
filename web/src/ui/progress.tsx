import { numberText } from "./time-text.ts";

/** How far long work is. */
export function Progress({ done, total, label }: { done: number; total: number; label: string }) {
  const share = total === 0 ? 1 : done / total;
  return (
    <div className="flex items-center gap-3">
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        className="h-1.5 flex-1 overflow-hidden rounded-full bg-bg3"
      >
        <div className="tone-due tone-fill h-full transition-[width]" style={{ width: `${share * 100}%` }} />
      </div>
      <span className="text-fg1 text-sm">
        {numberText(done)} of {numberText(total)}
      </span>
    </div>
  );
}
