import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "./button.tsx";
import { cx } from "./class-names.ts";

/** True for a while after `copy` has put a text into the clipboard. */
export function useCopy(): [hasCopied: boolean, copy: (text: string) => void] {
  const [copiedAt, setCopiedAt] = useState(0);
  useEffect(() => {
    if (copiedAt === 0) return;
    const timer = setTimeout(() => setCopiedAt(0), 1_500);
    return () => clearTimeout(timer);
  }, [copiedAt]);
  const copy = (text: string) => void navigator.clipboard.writeText(text).then(() => setCopiedAt(Date.now()));
  return [copiedAt !== 0, copy];
}

/** An id, a serial, a fingerprint: shortened in the middle where asked for, whole in the clipboard. */
export function CopyText({ text, shown = text, label }: { text: string; shown?: string; label?: string }) {
  const [hasCopied, copy] = useCopy();
  const Icon = hasCopied ? Check : Copy;
  return (
    <button
      type="button"
      title={text}
      onClick={(event) => {
        event.stopPropagation();
        copy(text);
      }}
      className="group inline-flex min-h-6 max-w-full items-center gap-1 rounded-control font-mono text-fg1 text-sm hover:text-fg0"
    >
      <span className="sr-only">Copy {label}</span>
      <span className="truncate">{shown}</span>
      <Icon
        aria-hidden
        size={12}
        className={cx(
          "shrink-0 opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100",
          hasCopied && "tone-ok tone-text opacity-100",
        )}
      />
    </button>
  );
}

/** A command or a PEM, to read and to copy. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  const [hasCopied, copy] = useCopy();
  return (
    <div className="flex items-start gap-1 rounded-control border border-line1 bg-bg0">
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by the keyboard
        tabIndex={0}
        className="max-h-80 min-w-0 flex-1 overflow-auto px-3 py-2 font-mono text-fg0 text-sm"
      >
        {text}
      </pre>
      <IconButton
        label={hasCopied ? "Copied" : `Copy ${label}`}
        icon={hasCopied ? Check : Copy}
        onClick={() => copy(text)}
      />
    </div>
  );
}

/** The ends of a long hexadecimal text. */
export function shortHex(text: string, length = 16): string {
  return text.length <= length ? text : `${text.slice(0, length / 2)}…${text.slice(-length / 2)}`;
}
