import {
  type ReactElement,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useSyncExternalStore,
} from "react";

interface Shown {
  /** What it hangs on. */
  anchor: Element;
  text: ReactNode;
}

const delayMs = 300;
const listeners = new Set<() => void>();
let shown: Shown | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

function set(next: Shown | undefined): void {
  clearTimeout(timer);
  if (shown === next) return;
  shown = next;
  for (const listener of listeners) listener();
}

/** Says more on hover and on focus. What must be known without it stands elsewhere, too. */
export function Tooltip({ text, children }: { text: ReactNode; children: ReactElement }) {
  const wrapper = useRef<HTMLSpanElement>(null);
  const open = (isAtOnce: boolean) => {
    const anchor = wrapper.current?.firstElementChild;
    if (!anchor) return;
    clearTimeout(timer);
    timer = setTimeout(() => set({ anchor, text }), isAtOnce ? 0 : delayMs);
  };
  useEffect(() => {
    const own = wrapper.current?.firstElementChild;
    return () => {
      if (shown && shown.anchor === own) set(undefined);
    };
  }, []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only listens; what it wraps is what one uses
    <span
      ref={wrapper}
      className="contents"
      onPointerOver={() => open(false)}
      onPointerOut={() => set(undefined)}
      onFocus={(event) => event.target.matches(":focus-visible") && open(true)}
      onBlur={() => set(undefined)}
      onPointerDown={() => set(undefined)}
    >
      {children}
    </span>
  );
}

/** The one tooltip of the page. A popover lies over an open dialog, too. */
export function TooltipLayer() {
  const id = useId();
  const layer = useRef<HTMLDivElement>(null);
  const current = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
  useLayoutEffect(() => {
    const element = layer.current;
    if (!element || !current) return;
    element.showPopover();
    place(element, current.anchor);
    current.anchor.setAttribute("aria-describedby", id);
    const close = (event: Event) => {
      if (event instanceof KeyboardEvent && event.key !== "Escape") return;
      set(undefined);
    };
    addEventListener("keydown", close);
    addEventListener("scroll", close, { capture: true });
    return () => {
      removeEventListener("keydown", close);
      removeEventListener("scroll", close, { capture: true });
      current.anchor.removeAttribute("aria-describedby");
      if (element.matches(":popover-open")) element.hidePopover();
    };
  }, [current, id]);
  return (
    <div
      ref={layer}
      id={id}
      role="tooltip"
      popover="manual"
      className="pointer-events-none fixed m-0 max-w-80 rounded-control border border-line2 bg-bg2 px-2 py-1 text-fg0 text-sm shadow-overlay"
    >
      {current?.text}
    </div>
  );
}

const gap = 6;
const edge = 8;

/** Below what it hangs on, or above where there is no room; never over the window's edge. */
function place(element: HTMLElement, anchor: Element): void {
  const box = anchor.getBoundingClientRect();
  const { width, height } = element.getBoundingClientRect();
  const left = box.left + box.width / 2 - width / 2;
  const below = box.bottom + gap;
  const top = below + height > innerHeight - edge ? box.top - gap - height : below;
  element.style.left = `${Math.max(edge, Math.min(left, innerWidth - width - edge))}px`;
  element.style.top = `${Math.max(edge, top)}px`;
}
