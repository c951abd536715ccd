import type { LucideIcon } from "lucide-react";
import { Loader2 } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./class-names.ts";
import { Tooltip } from "./tooltip.tsx";

export type ButtonKind = "primary" | "default" | "quiet" | "danger";

const kinds: Readonly<Record<ButtonKind, string>> = {
  primary: "bg-accent text-on-accent border-transparent font-medium hover:brightness-110",
  default: "bg-bg1 text-fg0 border-line2 hover:bg-bg2",
  quiet: "bg-transparent text-fg1 border-transparent hover:bg-bg2 hover:text-fg0",
  danger: "bg-bg1 tone-bad tone-text border-line2 hover:bg-bg2",
};

export function buttonClass(kind: ButtonKind = "default", isSmall = false): string {
  return cx(
    "inline-flex shrink-0 items-center justify-center gap-1.5 whitespace-nowrap rounded-control border transition-colors duration-100",
    "aria-disabled:cursor-not-allowed aria-disabled:opacity-55 aria-disabled:hover:brightness-100",
    isSmall ? "h-6 px-2 text-sm" : "h-8 px-3",
    kinds[kind],
  );
}

export interface ButtonProps extends Omit<ComponentProps<"button">, "disabled"> {
  kind?: ButtonKind;
  icon?: LucideIcon;
  isSmall?: boolean;
  /** While what it started has no answer. */
  isPending?: boolean;
  /** Why it cannot be used now. It stays focusable and says so. */
  disabledReason?: string | undefined;
  children?: ReactNode;
}

export function Button(props: ButtonProps) {
  const {
    kind,
    icon: Icon,
    isSmall,
    isPending,
    disabledReason,
    children,
    onClick,
    className,
    ...rest
  } = props;
  const isOff = Boolean(isPending || disabledReason);
  const button = (
    <button
      type="button"
      {...rest}
      aria-disabled={isOff || undefined}
      aria-description={disabledReason}
      className={cx(buttonClass(kind, isSmall), className)}
      onClick={isOff ? (event) => event.preventDefault() : onClick}
    >
      {isPending ? (
        <Loader2 aria-hidden size={14} className="animate-spin" />
      ) : (
        Icon && <Icon aria-hidden size={14} />
      )}
      {children}
    </button>
  );
  return disabledReason ? <Tooltip text={disabledReason}>{button}</Tooltip> : button;
}

/** A button that is only an icon: its name is the tooltip, too. */
export function IconButton({ label, ...props }: ButtonProps & { label: string; icon: LucideIcon }) {
  const button = (
    <Button kind="quiet" aria-label={label} {...props} className={cx("!px-0 w-8", props.className)} />
  );
  return props.disabledReason ? button : <Tooltip text={label}>{button}</Tooltip>;
}
