import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { AuditService } from "#gen/certctl/v1/audit_pb.ts";
import { Select } from "../../ui/field.tsx";
import { type Chip, FacetMenu, FilterBar, FilterChips, FilterText } from "../../ui/filter-bar.tsx";
import { type AuditValues, actorTypes, momentOf, noFilter } from "./parameters.ts";
import { TimeRange } from "./time-range.tsx";
import { actionText, fieldText } from "./words.ts";

interface FiltersProps {
  values: AuditValues;
  set(changes: Partial<AuditValues>, options?: { replace?: boolean }): void;
  /** To which relative times count back. */
  now: Date;
}

/** By whom, what, to what and when. */
export function AuditFilters({ values, set, now }: FiltersProps) {
  const [from, to] = [momentOf(values.from, now), momentOf(values.to, now)];
  const range = {
    ...(from ? { from: timestampFromDate(from) } : {}),
    ...(to ? { to: timestampFromDate(to) } : {}),
  };
  const { data } = useQuery(AuditService.method.getAuditFacets, range, {
    placeholderData: keepPreviousData,
    meta: { isLive: false },
    staleTime: 60_000,
  });
  const { actions = [], resourceTypes = [] } = data?.facets ?? {};
  return (
    <div className="flex flex-col gap-2">
      <FilterBar>
        <FilterText
          value={values.target}
          placeholder="Filter by resource id"
          onChange={(target) => set({ target: target.trim(), page: 1 }, { replace: true })}
        />
        <FacetMenu
          label="Action"
          values={actions.map(({ name, count }) => ({ value: name, label: actionText(name), count }))}
          chosen={values.action}
          onChange={(action) => set({ action, page: 1 })}
        />
        <FacetMenu
          label="Who"
          values={actorTypes.map((value) => ({ value, label: value }))}
          chosen={values.type}
          onChange={(type) => set({ type, page: 1 })}
        />
        <Select
          aria-label="Kind of resource"
          className="!w-auto"
          value={values.resource}
          onChange={(event) => set({ resource: event.target.value, page: 1 })}
        >
          <option value="">Any resource</option>
          {resourceTypes.map(({ name, count }) => (
            <option key={name} value={name}>
              {fieldText(name)} ({count})
            </option>
          ))}
          {values.resource && !resourceTypes.some(({ name }) => name === values.resource) && (
            <option value={values.resource}>{fieldText(values.resource)}</option>
          )}
        </Select>
        <TimeRange from={values.from} to={values.to} onChange={(range) => set({ ...range, page: 1 })} />
      </FilterBar>
      <FilterChips chips={chipsOf(values, set)} onClear={() => set(noFilter)} />
    </div>
  );
}

/** Filters that no control above shows. */
function chipsOf(values: AuditValues, set: FiltersProps["set"]): Chip[] {
  const all: (Chip | false)[] = [
    values.actor !== "" && {
      key: "actor",
      label: `by ${values.actor}`,
      onRemove: () => set({ actor: "", page: 1 }),
    },
    values.request !== "" && {
      key: "request",
      label: `of request ${values.request}`,
      onRemove: () => set({ request: "", page: 1 }),
    },
    ...values.action.map((action) => ({
      key: action,
      label: actionText(action),
      onRemove: () => set({ action: values.action.filter((each) => each !== action), page: 1 }),
    })),
  ];
  return all.filter((chip) => chip !== false);
}
