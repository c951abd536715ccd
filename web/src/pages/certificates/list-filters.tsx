import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useCallback } from "react";
import { CertificateService, type FacetValue as CountedValue } from "#gen/certctl/v1/certificates_pb.ts";
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
  type FacetName,
  facetNames,
  facets,
  filterOf,
  type ListValues,
  noFilter,
  without,
} from "./parameters.ts";

interface ListFiltersProps {
  values: ListValues;
  set(changes: Partial<ListValues>, options?: { replace?: boolean }): void;
}

/** The filters of the list, with how many each would leave; all of them lie in the URL. */
export function ListFilters({ values, set }: ListFiltersProps) {
  const request = { ...filterOf(values), archived: values.archived };
  const counts = useQuery(CertificateService.method.listCertificateFacets, request, {
    placeholderData: keepPreviousData,
  }).data;
  const search = useCallback((q: string) => set({ q, page: 1 }, { replace: true }), [set]);
  const countsOf = (name: FacetName): readonly CountedValue[] => {
    const field = facets[name].counts;
    return field && counts ? counts[field] : [];
  };
  return (
    <div className="flex flex-col gap-2">
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
        {facetNames
          .filter((name) => facets[name].counts)
          .map((name) => (
            <FacetMenu
              key={name}
              label={facets[name].label}
              values={facetValues(name, countsOf(name), values[name])}
              chosen={values[name]}
              onChange={(chosen) => set({ [name]: chosen, page: 1 })}
            />
          ))}
      </FilterBar>
      <FilterChips
        chips={[...facetChips(values, set, countsOf), ...flagChips(values, set)]}
        onClear={() => set({ ...noFilter, page: 1 })}
      />
    </div>
  );
}

/** What is counted, and what is chosen though nothing has it any more. */
function facetValues(
  name: FacetName,
  counted: readonly CountedValue[],
  chosen: readonly string[],
): FacetValue[] {
  const known = counted.map(({ value, name: text, count }) => ({
    value: value || without,
    label: labelOf(name, value || without, text),
    count,
  }));
  const gone = chosen.filter((value) => !known.some((each) => each.value === value));
  return [...known, ...gone.map((value) => ({ value, label: labelOf(name, value, ""), count: 0 }))];
}

const isWord: ReadonlySet<FacetName> = new Set(["status", "schedule"]);

function labelOf(name: FacetName, value: string, text: string): string {
  if (value === without) return name === "owner" ? "Nobody" : "None";
  if (name === "expiry") return { expired: "Expired", later: "Later" }[value] ?? value.replace("d", " days");
  return text || (isWord.has(name) ? sentence(value) : value);
}

function facetChips(
  values: ListValues,
  set: ListFiltersProps["set"],
  countsOf: (name: FacetName) => readonly CountedValue[],
): Chip[] {
  return facetNames.flatMap((name) =>
    values[name].map((value) => ({
      key: `${facets[name].label} ${value}`,
      label: (
        <>
          <span className="text-fg2">{facets[name].label}&nbsp;</span>
          {labelOf(name, value, countsOf(name).find((each) => each.value === value)?.name ?? "")}
        </>
      ),
      onRemove: () => set({ [name]: values[name].filter((each) => each !== value), page: 1 }),
    })),
  );
}

function flagChips({ archived, problems }: ListValues, set: ListFiltersProps["set"]): Chip[] {
  return [
    ...(problems
      ? [{ key: "problems", label: "With a problem", onRemove: () => set({ problems: false, page: 1 }) }]
      : []),
    ...(archived
      ? [{ key: "archived", label: "Archived", onRemove: () => set({ archived: false, page: 1 }) }]
      : []),
  ];
}
