import { useId } from "react";
import { Field, Textarea } from "../../ui/field.tsx";

/** PEM, pasted or out of a file. The file is read here; what is in it goes nowhere before the form is sent. */
export function PemField({
  label,
  hint,
  error,
  value,
  onChange,
  isSecret = false,
}: {
  label: string;
  hint?: string;
  error: string | undefined;
  value: string;
  onChange(value: string): void;
  isSecret?: boolean;
}) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5">
      <Field label={label} hint={hint} error={error}>
        {(field) => (
          <Textarea
            {...field}
            required
            rows={isSecret ? 3 : 7}
            spellCheck={false}
            autoComplete="off"
            className={isSecret ? "font-mono text-sm [-webkit-text-security:disc]" : "font-mono text-sm"}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
      <label htmlFor={id} className="sr-only">
        {`File of: ${label}`}
      </label>
      <input
        id={id}
        type="file"
        className="max-w-full text-fg2 text-sm file:mr-2 file:h-7 file:rounded-control file:border file:border-line2 file:bg-bg1 file:px-2 file:text-fg0"
        onChange={(event) => void event.target.files?.[0]?.text().then(onChange)}
      />
    </div>
  );
}
