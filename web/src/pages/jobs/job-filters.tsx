import type { DescEnum, MessageInitShape } from "@bufbuild/protobuf";
import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useCallback } from "react";
import {
  type CountJobsRequestSchema,
  FailureClassSchema,
  JobService,
  JobStatusSchema,
  JobTypeSchema,
} from "#gen/certctl/v1/jobs_pb.ts";
import { enumWords } from "../../../../src/rest/json.ts";
import { sentence } from "../../status/words.ts";
import { type Chip, FacetMenu, FilterBar, FilterChips, FilterText } from "../../ui/filter-bar.tsx";

/** What narrows the list of jobs, as the URL has it. */
interface JobFilterValues {
  q: string;
  status: readonly string[];
  type: readonly string[];
  failure: readonly string[];
  agent: string;
  target: string;
  certificate: string;
}

export const noJobFilter: JobFilterValues = {
  q: "",
  status: [],
  type: [],
  failure: [],
  agent: "",
  target: "",
  certificate: "",
};

const facets = [
  { name: "status", label: "State", schema: JobStatusSchema, counts: "byStatus" },
  { name: "type", label: "Type", schema: JobTypeSchema, counts: "byType" },
  { name: "failure", label: "Failure", schema: FailureClassSchema, counts: "byFailureClass" },
] as const;

interface JobFiltersProps {
  values: JobFilterValues;
  filter: MessageInitShape<typeof CountJobsRequestSchema>;
  onChange(changes: Partial<JobFilterValues>, options?: { replace?: boolean }): void;
}

/** The filters over the jobs, each with how many it would leave. */
export function JobFilters({ values, filter, onChange }: JobFiltersProps) {
  const counts = useQuery(JobService.method.countJobs, filter, { placeholderData: keepPreviousData }).data;
  const search = useCallback((q: string) => onChange({ q }, { replace: true }), [onChange]);
  const chips: Chip[] = [
    ...facets.flatMap(({ name, label }) =>
      values[name].map((value) => ({
        key: `${label} ${value}`,
        label: `${label} ${sentence(value)}`,
        onRemove: () => onChange({ [name]: values[name].filter((each) => each !== value) }),
      })),
    ),
    ...(["agent", "target", "certificate"] as const)
      .filter((name) => values[name] !== "")
      .map((name) => ({
        key: `${name} ${values[name]}`,
        label: `${sentence(name)} ${values[name]}`,
        onRemove: () => onChange({ [name]: "" }),
      })),
  ];
  return (
    <div className="flex flex-col gap-2">
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
        {facets.map(({ name, label, schema, counts: field }) => (
          <FacetMenu
            key={name}
            label={label}
            values={enumWords(schema as DescEnum).map((value) => ({
              value,
              label: sentence(value),
              count: counts?.[field][value] ?? 0,
            }))}
            chosen={values[name]}
            onChange={(chosen) => onChange({ [name]: chosen })}
          />
        ))}
      </FilterBar>
      <FilterChips chips={chips} onClear={() => onChange(noJobFilter)} />
    </div>
  );
}
