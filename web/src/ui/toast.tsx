import { X } from "lucide-react";
import { type ReactNode, useSyncExternalStore } from "react";
import { IconButton } from "./button.tsx";

interface Toast {
  id: number;
  content: ReactNode;
}

const shownForMs = 6_000;
const listeners = new Set<() => void>();
let toasts: readonly Toast[] = [];
let next = 1;

function set(value: readonly Toast[]): void {
  toasts = value;
  for (const listener of listeners) listener();
}

/** Says what came of an action: "Renewal queued", with a link to its job. */
export function toast(content: ReactNode): void {
  const id = next++;
  set([...toasts.slice(-2), { id, content }]);
  setTimeout(() => dismiss(id), shownForMs);
}

function dismiss(id: number): void {
  set(toasts.filter((each) => each.id !== id));
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed right-4 bottom-4 z-50 flex flex-col gap-2"
    >
      {shown.map(({ id, content }) => (
        <div
          key={id}
          className="pointer-events-auto flex max-w-[calc(100vw-32px)] items-center gap-2 rounded-panel border border-line2 bg-bg2 py-1 pr-1 pl-3 shadow-overlay"
        >
          <div className="min-w-0">{content}</div>
          <IconButton label="Dismiss" icon={X} onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
