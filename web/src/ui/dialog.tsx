import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { IconButton } from "./button.tsx";
import { cx } from "./class-names.ts";

export interface DialogProps {
  title: ReactNode;
  onClose(): void;
  children: ReactNode;
  /** Buttons at the end; the last is the one that acts. */
  footer?: ReactNode;
  /** A sheet stands at the right edge, as high as the window. */
  shape?: "dialog" | "wide" | "sheet";
}

/** The browser's own modal dialog: the rest of the page is inert, Escape closes, focus comes back. Shown while mounted. */
export function Dialog({ title, onClose, children, footer, shape = "dialog" }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [before] = useState(() => document.activeElement);
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    const wanted = dialog.contains(document.activeElement) ? document.activeElement : firstControl(dialog);
    dialog.showModal();
    // Opening moves the focus to the first thing in it, which closes it.
    if (wanted instanceof HTMLElement) wanted.focus();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, [before]);
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === ref.current && onClose()}
      className={cx(
        "flex max-w-[calc(100vw-16px)] flex-col border border-line2 bg-bg1 p-0 text-fg0 shadow-overlay outline-none",
        shape === "sheet"
          ? "my-0 mr-0 ml-auto h-dvh max-h-dvh w-[560px] border-y-0 border-r-0"
          : "m-auto max-h-[calc(100dvh-32px)] rounded-dialog",
        shape === "dialog" && "w-[520px]",
        shape === "wide" && "w-[880px]",
      )}
    >
      <header className="flex items-center gap-3 border-line1 border-b py-2 pr-2 pl-4">
        <h2 id={titleId} className="min-w-0 flex-1 font-semibold">
          {title}
        </h2>
        <IconButton label="Close" icon={X} onClick={onClose} />
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto p-4">{children}</div>
      {footer && (
        <footer className="flex flex-wrap justify-end gap-2 border-line1 border-t px-4 py-3">{footer}</footer>
      )}
    </dialog>
  );
}

/** Where one goes on: the first field, or else the button that goes back. */
function firstControl(dialog: HTMLDialogElement): Element | null {
  return dialog.querySelector("input, select, textarea") ?? dialog.querySelector("footer button");
}
