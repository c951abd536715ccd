import { ChevronDown, Search, X } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useShortcuts } from "../shortcuts/registry.ts";
import { Button } from "./button.tsx";
import { cx } from "./class-names.ts";
import { Menu, MenuCheckbox, MenuLabel } from "./menu.tsx";
import { numberText } from "./time-text.ts";

/** The line of filters over a list. */
export function FilterBar({ children }: { children: ReactNode }) {
  return <div className="flex min-h-8 flex-wrap items-center gap-2">{children}</div>;
}

const typingMs = 200;

/** A text that filters while one types: the URL follows a moment later, without a step in the history for each letter. */
export function FilterText({
  value,
  onChange,
  placeholder,
}: {
  value: string;
  onChange(value: string): void;
  placeholder: string;
}) {
  const [typed, setTyped] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), typingMs);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  useShortcuts(
    useMemo(
      () => [{ keys: "/", label: "Filter", group: "Lists", run: () => input.current?.focus() } as const],
      [],
    ),
  );
  return (
    <div className="relative w-full sm:w-64">
      <Search aria-hidden size={14} className="pointer-events-none absolute top-2 left-2 text-fg2" />
      <input
        ref={input}
        type="search"
        aria-label={placeholder}
        placeholder={placeholder}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && (typed === "" ? input.current?.blur() : setTyped(""))}
        className="h-8 w-full rounded-control border border-line3 bg-bg0 pr-2 pl-7"
      />
    </div>
  );
}

export interface FacetValue {
  value: string;
  label: ReactNode;
  /** How many the list would have with it. */
  count?: number;
}

/** One facet: several of its values may be chosen. */
export function FacetMenu({
  label,
  values,
  chosen,
  onChange,
}: {
  label: string;
  values: readonly FacetValue[];
  chosen: readonly string[];
  onChange(chosen: readonly string[]): void;
}) {
  const toggle = (value: string, isChosen: boolean) =>
    onChange(isChosen ? [...chosen, value] : chosen.filter((each) => each !== value));
  return (
    <Menu
      align="start"
      trigger={
        <Button className={cx(chosen.length > 0 && "!border-accent")}>
          {label}
          {chosen.length > 0 && <span className="text-accent">{chosen.length}</span>}
          <ChevronDown aria-hidden size={12} className="text-fg2" />
        </Button>
      }
    >
      <div className="max-h-80 overflow-y-auto">
        {values.length === 0 && <MenuLabel>Nothing to choose from</MenuLabel>}
        {values.map(({ value, label, count }) => (
          <MenuCheckbox
            key={value}
            isChecked={chosen.includes(value)}
            onChange={(isChosen) => toggle(value, isChosen)}
            hint={count === undefined ? undefined : numberText(count)}
          >
            {label}
          </MenuCheckbox>
        ))}
      </div>
    </Menu>
  );
}

export interface Chip {
  key: string;
  label: ReactNode;
  onRemove(): void;
}

/** What is filtered by, each to be taken away. */
export function FilterChips({ chips, onClear }: { chips: readonly Chip[]; onClear(): void }) {
  if (chips.length === 0) return null;
  return (
    <ul aria-label="Filters" className="flex flex-wrap items-center gap-1.5">
      {chips.map(({ key, label, onRemove }) => (
        <li
          key={key}
          className="inline-flex h-6 items-center rounded-control border border-line2 bg-bg2 pl-2 text-sm"
        >
          {label}
          <button
            type="button"
            aria-label={`Remove the filter ${key}`}
            className="grid size-6 place-items-center rounded-control text-fg2 hover:text-fg0"
            onClick={onRemove}
          >
            <X aria-hidden size={12} />
          </button>
        </li>
      ))}
      <li>
        <Button kind="quiet" isSmall onClick={onClear}>
          Clear
        </Button>
      </li>
    </ul>
  );
}
