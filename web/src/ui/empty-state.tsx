import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

/** Nothing here: why, and what to do about it. */
export function EmptyState({
  icon: Icon,
  title,
  children,
  actions,
}: {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-12 text-center">
      <Icon aria-hidden size={24} className="text-fg2" />
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-[56ch] text-fg1">{children}</div>}
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}

const widths = [92, 74, 83, 66, 88, 71, 95, 62];

/** What stands where a page or a panel will be. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-2.5 py-1">
      {widths.slice(0, lines).map((width) => (
        <div key={width} className="skeleton h-4" style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
