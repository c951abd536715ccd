import { Fragment, useId } from "react";
import { violationsOf } from "../api/errors.ts";
import { Checkbox, Field, type FieldIds, Input, Select, Textarea } from "../ui/field.tsx";
import { type Draft, type FormField, shownFields } from "./schema.ts";

/** A value that a field offers, beside what is typed freely. */
export interface Suggestion {
  value: string;
  label?: string;
}

interface ConfigFieldsProps {
  fields: readonly FormField[];
  draft: Draft;
  onChange(draft: Draft): void;
  /** Of the call that the draft was sent by: what it says of a field stands at the field. */
  error: unknown;
  /** By a field's name. */
  suggestions?: Readonly<Record<string, readonly Suggestion[]>>;
  /** What the request calls the configuration. */
  path?: string;
}

/** The controls of a configuration that is described by a JSON Schema. */
export function ConfigFields({
  fields,
  draft,
  onChange,
  error,
  suggestions = {},
  path = "config",
}: ConfigFieldsProps) {
  return (
    <>
      {shownFields(fields, draft).map((field, index, shown) => (
        <Fragment key={`${field.name} ${field.when?.value}`}>
          {field.group !== "" && field.group !== shown[index - 1]?.group && (
            <h3 className="pt-1 font-medium text-fg1">{field.group}</h3>
          )}
          <Control
            field={field}
            value={draft[field.name] ?? ""}
            onChange={(value) => onChange({ ...draft, [field.name]: value })}
            wrong={wrongWith(error, `${path}.${field.name}`)}
            suggestions={suggestions[field.name] ?? []}
          />
        </Fragment>
      ))}
    </>
  );
}

/** What is wrong with a field, or with an entry of its list. */
export function wrongWith(error: unknown, path: string): string | undefined {
  const said = violationsOf(error).filter(
    ({ field }) => field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`),
  );
  return said.length === 0 ? undefined : said.map(({ description }) => description).join("; ");
}

interface ControlProps {
  field: FormField;
  value: string | boolean;
  onChange(value: string | boolean): void;
  wrong: string | undefined;
  suggestions: readonly Suggestion[];
}

function Control({ field, value, onChange, wrong, suggestions }: ControlProps) {
  const { label, hint, isRequired, fallback } = field;
  if (field.kind === "flag") {
    return (
      <Checkbox
        label={label}
        hint={wrong ?? hint}
        checked={value === true}
        onChange={(event) => onChange(event.target.checked)}
      />
    );
  }
  const unless = fallback && field.kind !== "choice" ? `${fallback} when left out` : "";
  return (
    <Field
      label={label}
      hint={[hint, field.kind === "list" && "One a line", unless].filter(Boolean).join(". ")}
      error={wrong}
      isOptional={!isRequired}
    >
      {(ids) => (
        <Typed ids={ids} field={field} value={String(value)} onChange={onChange} suggestions={suggestions} />
      )}
    </Field>
  );
}

function Typed({
  ids,
  field: { kind, choices, words, fallback, isRequired, minimum, maximum },
  value,
  onChange,
  suggestions,
}: Omit<ControlProps, "value" | "wrong"> & { ids: FieldIds; value: string }) {
  const listId = useId();
  const common = {
    ...ids,
    value,
    required: isRequired,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  if (kind === "choice") {
    return (
      <Select {...common}>
        {!isRequired && <option value="">{fallback ? `${fallback} (default)` : "None"}</option>}
        {isRequired && value === "" && <option value="">Choose</option>}
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {words[choice] ?? choice}
          </option>
        ))}
      </Select>
    );
  }
  if (kind === "long" || kind === "list" || kind === "json")
    return (
      <Textarea {...common} rows={kind === "long" ? 5 : 3} className="font-mono text-sm" spellCheck={false} />
    );
  if (kind === "long-secret")
    return (
      <Textarea
        {...common}
        rows={3}
        className="font-mono text-sm [-webkit-text-security:disc]"
        spellCheck={false}
        autoComplete="off"
      />
    );
  if (kind === "secret") return <Input {...common} type="password" autoComplete="off" />;
  if (kind === "number") return <Input {...common} type="number" min={minimum} max={maximum} />;
  return (
    <>
      <Input {...common} autoComplete="off" list={suggestions.length > 0 ? listId : undefined} />
      {suggestions.length > 0 && (
        <datalist id={listId}>
          {suggestions.map(({ value: offered, label }) => (
            <option key={offered} value={offered}>
              {label}
            </option>
          ))}
        </datalist>
      )}
    </>
  );
}
