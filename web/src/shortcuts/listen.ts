import { useEffect } from "react";
import { usePreferences } from "../preferences/preferences.ts";
import { findShortcut, isStartOfShortcut } from "./registry.ts";

/** A second key of a sequence has to come within this time. */
const sequenceMs = 1_200;

/** Hands key presses to the registered shortcuts; never while one types, or below an open dialog. */
export function useShortcutListener(): void {
  const { hasShortcuts } = usePreferences();
  useEffect(() => {
    let pending: { key: string; at: number } | undefined;
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const key = nameOf(event);
      const isChord = key.startsWith("mod+");
      if (!isChord && (!hasShortcuts || isTyping(event.target))) return;
      if (document.querySelector("dialog[open], [role=menu]") && !isChord) return;
      const isSequence = pending !== undefined && event.timeStamp - pending.at < sequenceMs;
      const keys = isSequence ? `${pending?.key} ${key}` : key;
      pending = undefined;
      const shortcut = findShortcut(keys) ?? findShortcut(key);
      if (shortcut) {
        event.preventDefault();
        shortcut.run();
      } else if (isStartOfShortcut(key)) pending = { key, at: event.timeStamp };
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [hasShortcuts]);
}

function nameOf(event: KeyboardEvent): string {
  if (event.altKey) return "";
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) return `mod+${key}`;
  const isLetter = /^[a-z]$/.test(key);
  return event.shiftKey && isLetter ? `Shift+${key}` : key;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
    !(target instanceof HTMLInputElement && /^(checkbox|radio|button)$/.test(target.type))
  );
}
