import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ReassignmentSchema } from "#gen/certctl/v1/operations_pb.ts";
import { useNames } from "../../names/names.ts";
import { Field, Input, Select } from "../../ui/field.tsx";

type Changes = MessageInitShape<typeof ReassignmentSchema>;

const unchanged = "\u0000";

/** What a reassignment sets; the first choice of each leaves it as it is. */
export function ReassignFields({
  changes,
  onChange,
}: {
  changes: Changes;
  onChange(changes: Changes): void;
}) {
  const names = useNames();
  const set = (name: keyof Changes, value: string) => {
    const { [name]: _, ...rest } = changes;
    onChange(value === unchanged ? rest : { ...rest, [name]: value });
  };
  const select = (
    name: "ownerId" | "teamId" | "renewalPolicyId",
    label: string,
    known: ReadonlyMap<string, string>,
    clear?: string,
  ) => (
    <Field label={label}>
      {(field) => (
        <Select
          {...field}
          value={changes[name] ?? unchanged}
          onChange={(event) => set(name, event.target.value)}
        >
          <option value={unchanged}>As it is</option>
          {clear && <option value="">{clear}</option>}
          {Array.from(known, ([id, each]) => (
            <option key={id} value={id}>
              {each}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {select("ownerId", "Owner", names.owners, "Nobody")}
      {select("teamId", "Team", names.teams, "None")}
      {select("renewalPolicyId", "Renewal policy", names.renewalPolicies)}
      <Field label="Environment" hint="Left as it is while empty">
        {(field) => (
          <Input
            {...field}
            value={changes.environment ?? ""}
            onChange={(event) => set("environment", event.target.value || unchanged)}
          />
        )}
      </Field>
    </div>
  );
}
