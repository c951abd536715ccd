import { Field, Input } from "../../ui/field.tsx";

/** What opens an encrypted key. */
export function PassphraseField({
  hint,
  error,
  value,
  onChange,
  minLength,
  isOptional = false,
}: {
  hint?: string;
  error: string | undefined;
  value: string;
  onChange(value: string): void;
  minLength?: number;
  isOptional?: boolean;
}) {
  return (
    <Field label="Passphrase" hint={hint} error={error} isOptional={isOptional}>
      {(field) => (
        <Input
          {...field}
          type="password"
          required={!isOptional}
          minLength={minLength}
          autoComplete="off"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** The file that the key of a root was exported to. */
export function KeyFileField({
  error,
  onChange,
}: {
  error: string | undefined;
  onChange(file: File | undefined): void;
}) {
  return (
    <Field label="Key file" error={error}>
      {(field) => (
        <Input
          {...field}
          type="file"
          required
          className="py-1"
          onChange={(event) => onChange(event.target.files?.[0])}
        />
      )}
    </Field>
  );
}
