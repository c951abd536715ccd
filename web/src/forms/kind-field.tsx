import { Field, Input, Select } from "../ui/field.tsx";
import { wrongWith } from "./config-fields.tsx";
import type { Kind } from "./kind-config.ts";

/** What something is called. */
export function NameField({
  name,
  onChange,
  error,
}: {
  name: string;
  onChange(name: string): void;
  error: unknown;
}) {
  return (
    <Field label="Name" error={wrongWith(error, "name")}>
      {(ids) => <Input {...ids} required value={name} onChange={(event) => onChange(event.target.value)} />}
    </Field>
  );
}

interface KindFieldProps {
  kinds: readonly Kind[];
  kind: string;
  onChange(kind: string): void;
  error: unknown;
  /** It exists already: its kind stays. */
  isFixed: boolean;
  label?: string;
  /** What the request calls it. */
  path?: string;
}

export function KindField({
  kinds,
  kind,
  onChange,
  error,
  isFixed,
  label = "Kind",
  path = "kind",
}: KindFieldProps) {
  return (
    <Field label={label} hint={isFixed && "Stays as it is"} error={wrongWith(error, path)}>
      {(ids) => (
        <Select {...ids} value={kind} disabled={isFixed} onChange={(event) => onChange(event.target.value)}>
          {kinds.map((each) => (
            <option key={each.kind} value={each.kind}>
              {each.title}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
