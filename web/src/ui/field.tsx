import { type ComponentProps, type ReactNode, useId } from "react";
import { cx } from "./class-names.ts";

export interface FieldIds {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
}

/** A labelled control with its hint, and what is wrong with it. */
export function Field({
  label,
  hint,
  error,
  isOptional,
  children,
}: {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  isOptional?: boolean;
  children(field: FieldIds): ReactNode;
}) {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium text-fg1">
        {label}
        {isOptional && <span className="font-normal text-fg2"> optional</span>}
      </label>
      {children({
        id,
        ...(describedBy && { "aria-describedby": describedBy }),
        ...(error && { "aria-invalid": true }),
      })}
      {hint && (
        <p id={`${id}-hint`} className="text-fg2 text-sm">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="tone-bad tone-text text-sm">
          {error}
        </p>
      )}
    </div>
  );
}

const controlClass =
  "rounded-control border border-line3 bg-bg0 px-2 text-fg0 aria-invalid:border-bad disabled:opacity-60 w-full";

export function Input(props: ComponentProps<"input">) {
  return <input {...props} className={cx(controlClass, "h-8", props.className)} />;
}

export function Textarea(props: ComponentProps<"textarea">) {
  return <textarea rows={3} {...props} className={cx(controlClass, "py-1.5", props.className)} />;
}

export function Select(props: ComponentProps<"select">) {
  return <select {...props} className={cx(controlClass, "h-8 pr-6", props.className)} />;
}

export function Checkbox({
  label,
  hint,
  ...props
}: ComponentProps<"input"> & { label: ReactNode; hint?: ReactNode }) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <input type="checkbox" id={id} {...props} className="mt-0.5 size-4" />
      <label htmlFor={id}>
        {label}
        {hint && <span className="block text-fg2 text-sm">{hint}</span>}
      </label>
    </div>
  );
}
