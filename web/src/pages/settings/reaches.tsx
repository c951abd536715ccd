import { Checkbox } from "../../ui/field.tsx";

/** What a key is restricted to: some of them, or all. */
export function Reaches({
  label,
  none,
  options,
  chosen,
  onChange,
  error,
}: {
  label: string;
  /** What holds when none is chosen. */
  none: string;
  options: readonly { id: string; name: string }[];
  chosen: readonly string[];
  onChange(chosen: readonly string[]): void;
  error: string | undefined;
}) {
  if (options.length === 0) return null;
  const names = new Map(options.map(({ id, name }) => [id, name]));
  const toggle = (id: string, isChosen: boolean) =>
    onChange(isChosen ? [...chosen, id] : chosen.filter((each) => each !== id));
  return (
    <fieldset className="flex min-w-0 flex-col gap-1">
      <legend className="mb-1 font-medium text-fg1">
        {label} <span className="font-normal text-fg2">optional</span>
      </legend>
      <div className="flex max-h-32 flex-col gap-1.5 overflow-y-auto rounded-control border border-line2 p-2">
        {options.map(({ id, name }) => (
          <Checkbox
            key={id}
            label={name}
            checked={chosen.includes(id)}
            onChange={(event) => toggle(id, event.target.checked)}
          />
        ))}
      </div>
      <p className="text-fg2 text-sm">
        {chosen.length === 0 ? none : `Only ${chosen.map((id) => names.get(id) ?? id).join(", ")}`}
      </p>
      {error && <p className="tone-bad tone-text text-sm">{error}</p>}
    </fieldset>
  );
}
