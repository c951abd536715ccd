import { Input, Select } from "../../ui/field.tsx";

const ranges = [
  ["", "Any time"],
  ["-1h", "Last hour"],
  ["-24h", "Last 24 hours"],
  ["-7d", "Last 7 days"],
  ["-30d", "Last 30 days"],
] as const;

/** A time back from now, or from one moment to another. */
export function TimeRange({
  from,
  to,
  onChange,
}: {
  from: string;
  to: string;
  onChange(range: { from: string; to: string }): void;
}) {
  const isRelative = to === "" && ranges.some(([value]) => value === from);
  return (
    <>
      <Select
        aria-label="When"
        className="!w-auto"
        value={isRelative ? from : "custom"}
        onChange={({ target: { value } }) =>
          onChange(value === "custom" ? { from: midnight(), to: "" } : { from: value, to: "" })
        }
      >
        {ranges.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
        <option value="custom">From … to …</option>
      </Select>
      {!isRelative && (
        <>
          <Input
            type="datetime-local"
            aria-label="From"
            className="!w-auto"
            value={from}
            onChange={(event) => onChange({ from: event.target.value, to })}
          />
          <Input
            type="datetime-local"
            aria-label="To"
            className="!w-auto"
            value={to}
            onChange={(event) => onChange({ from, to: event.target.value })}
          />
        </>
      )}
    </>
  );
}

/** The beginning of the day, as the input writes it. */
function midnight(): string {
  const now = new Date();
  const pad = (value: number) => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())}T00:00`;
}
