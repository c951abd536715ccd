import { useId } from "react";
import { cx } from "./class-names.ts";

/** One of few, all of them in sight. */
export function Choice<Value extends string | number>({
  label,
  values,
  chosen,
  onChange,
}: {
  label: string;
  values: readonly { value: Value; label: string }[];
  chosen: Value;
  onChange(value: Value): void;
}) {
  const name = useId();
  return (
    <fieldset className="flex items-center gap-2">
      <legend className="float-left mr-2 text-fg2">{label}</legend>
      <div className="flex flex-wrap rounded-control border border-line2 bg-bg1">
        {values.map(({ value, label: text }) => (
          <label
            key={value}
            className={cx(
              "relative flex h-[30px] cursor-pointer items-center px-2.5 text-fg1 hover:text-fg0",
              "has-[:checked]:bg-bg3 has-[:checked]:text-fg0 has-[:focus-visible]:outline has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-accent",
            )}
          >
            <input
              type="radio"
              name={name}
              className="absolute inset-0 cursor-pointer opacity-0"
              checked={value === chosen}
              onChange={() => onChange(value)}
            />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
