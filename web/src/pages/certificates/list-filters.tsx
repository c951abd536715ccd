import { useCallback } from "react";
import { CertificateScheduleSchema, CertificateStatusSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { enumWords } from "../../../../src/rest/json.ts";
import { type Names, nameOf } from "../../names/names.ts";
import { sentence } from "../../status/words.ts";
import {
  type Chip,
  FacetMenu,
  type FacetValue,
  FilterBar,
  FilterChips,
  FilterText,
} from "../../ui/filter-bar.tsx";
import {
  type FilterName,
  filterLabels,
  filterNames,
  isGiven,
  type ListValues,
  listParameters,
  noFilter,
} from "./parameters.ts";

interface ListFiltersProps {
  values: ListValues;
  set(changes: Partial<ListValues>, options?: { replace?: boolean }): void;
  names: Names;
}

const statuses = enumWords(CertificateStatusSchema).filter((word) => word !== "Archived");
const schedules = enumWords(CertificateScheduleSchema);
const expiries: readonly FacetValue[] = [
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
  { value: "90d", label: "90 days" },
];

/** The filters of the list; all of them lie in the URL. */
export function ListFilters({ values, set, names }: ListFiltersProps) {
  const search = useCallback((q: string) => set({ q, page: 1 }, { replace: true }), [set]);
  const single = (name: FilterName, known: readonly FacetValue[]) => (
    <FacetMenu
      label={filterLabels[name]}
      values={known}
      chosen={values[name] ? [String(values[name])] : []}
      onChange={(chosen) => set({ [name]: chosen.at(-1) ?? "", page: 1 })}
    />
  );
  return (
    <div className="flex flex-col gap-2">
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
        <FacetMenu
          label="Status"
          values={statuses.map((value) => ({ value, label: sentence(value) }))}
          chosen={values.status}
          onChange={(status) => set({ status, page: 1 })}
        />
        <FacetMenu
          label="Plan"
          values={schedules.map((value) => ({ value, label: sentence(value) }))}
          chosen={values.schedule}
          onChange={(schedule) => set({ schedule, page: 1 })}
        />
        {single("expires", expiries)}
        {single("issuer", valuesOf(names.issuers))}
        {single("owner", valuesOf(names.owners))}
        {single("team", valuesOf(names.teams))}
      </FilterBar>
      <FilterChips chips={chipsOf(values, set, names)} onClear={() => set({ ...noFilter, page: 1 })} />
    </div>
  );
}

function valuesOf(names: ReadonlyMap<string, string>): FacetValue[] {
  return Array.from(names, ([value, label]) => ({ value, label }));
}

function chipsOf(values: ListValues, set: ListFiltersProps["set"], names: Names): Chip[] {
  return filterNames
    .filter((name) => name !== "q" && isGiven(values[name]))
    .map((name) => ({
      key: filterLabels[name],
      label: (
        <>
          <span className="text-fg2">{filterLabels[name]}&nbsp;</span>
          {textOf(name, values, names)}
        </>
      ),
      onRemove: () => set({ [name]: listParameters[name].read(undefined), page: 1 }),
    }));
}

function textOf(name: FilterName, values: ListValues, names: Names): string {
  const value = values[name];
  if (typeof value === "boolean") return "yes";
  if (typeof value === "object") return value.map(sentence).join(", ");
  if (name === "issuer") return nameOf(names.issuers, value);
  if (name === "owner") return nameOf(names.owners, value);
  if (name === "team") return nameOf(names.teams, value);
  if (name === "policy") return nameOf(names.renewalPolicies, value);
  return value;
}
