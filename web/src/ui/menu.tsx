import type { LucideIcon } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { cx } from "./class-names.ts";

/** A menu below what it wraps. Not modal: the page behind stays usable, and no style element is put into it. */
export function Menu({
  trigger,
  children,
  align = "end",
}: {
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
}) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 min-w-44 max-w-96 rounded-panel border border-line2 bg-bg2 p-1 shadow-overlay"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

const itemClass =
  "flex cursor-default items-center gap-2 rounded-control px-2 py-1.5 text-fg0 outline-none data-[highlighted]:bg-bg3";

export interface MenuItemProps {
  icon?: LucideIcon;
  onSelect?(): void;
  /** Why it cannot be chosen; shown in it. */
  disabledReason?: string | undefined;
  isDangerous?: boolean;
  hint?: ReactNode;
  children: ReactNode;
}

export function MenuItem({
  icon: Icon,
  onSelect,
  disabledReason,
  isDangerous,
  hint,
  children,
}: MenuItemProps) {
  return (
    <DropdownMenu.Item
      onSelect={(event) => (disabledReason ? event.preventDefault() : onSelect?.())}
      aria-disabled={disabledReason ? true : undefined}
      className={cx(itemClass, isDangerous && "tone-bad tone-text", disabledReason && "opacity-70")}
    >
      {Icon && <Icon aria-hidden size={14} className="shrink-0" />}
      <span className="min-w-0 flex-1">
        {children}
        {disabledReason && <span className="block text-fg2 text-sm">{disabledReason}</span>}
      </span>
      {hint && <span className="text-fg2 text-sm">{hint}</span>}
    </DropdownMenu.Item>
  );
}

export function MenuCheckbox({
  isChecked,
  onChange,
  hint,
  children,
}: {
  isChecked: boolean;
  onChange(isChecked: boolean): void;
  hint?: ReactNode;
  children: ReactNode;
}) {
  return (
    <DropdownMenu.CheckboxItem
      checked={isChecked}
      onCheckedChange={onChange}
      // Several are chosen in a row.
      onSelect={(event) => event.preventDefault()}
      className={itemClass}
    >
      <span
        aria-hidden
        className={cx(
          "grid size-3.5 shrink-0 place-items-center rounded-[3px] border text-[10px] leading-none",
          isChecked ? "border-accent bg-accent text-on-accent" : "border-line3",
        )}
      >
        {isChecked && "✓"}
      </span>
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {hint !== undefined && <span className="text-fg2 text-sm">{hint}</span>}
    </DropdownMenu.CheckboxItem>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 pt-1.5 pb-1 text-fg2 text-sm">{children}</DropdownMenu.Label>;
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="-mx-1 my-1 h-px bg-line1" />;
}
