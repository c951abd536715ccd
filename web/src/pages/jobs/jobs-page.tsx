import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { ListChecks } from "lucide-react";
import { useCallback, useMemo } from "react";
import { FailureClassSchema, JobService, JobStatusSchema, JobTypeSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { JobBadge } from "../../status/job-status.tsx";
import { valuesOfWords } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { useSelection } from "../../ui/selection.ts";
import { ViewTabs } from "../../ui/view-tabs.tsx";
import { count, text, list as words } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { CausesTable } from "./causes-table.tsx";
import { JobBulkBar } from "./job-bulk-bar.tsx";
import { JobFilters, noJobFilter } from "./job-filters.tsx";
import { jobColumns } from "./jobs-table.tsx";

const perPage = 50;

const jobParameters = {
  view: text(),
  q: text(),
  status: words,
  type: words,
  failure: words,
  agent: text(),
  target: text(),
  certificate: text(),
  sort: text("-created_at"),
  page: count(1),
  hours: count(24),
};

/** The work that certctl does: one by one, or what failed by its cause. */
export function JobsPage() {
  const [values, set] = useParameters(jobParameters);
  const counts = useQuery(JobService.method.countJobs, {}).data;
  return (
    <Page isWide>
      <PageHeader title="Jobs" count={counts?.total} />
      <ViewTabs
        label="Views of the jobs"
        parameter="view"
        current={values.view}
        tabs={[
          { value: "", label: "All jobs" },
          { value: "causes", label: "Failures by cause", count: counts?.byStatus["Failed"] ?? 0 },
        ]}
      />
      {values.view === "causes" ? (
        <CausesTable hours={values.hours} onHours={(hours) => set({ hours })} />
      ) : (
        <JobList />
      )}
    </Page>
  );
}

function JobList() {
  const [values, set] = useParameters(jobParameters);
  const selection = useSelection();
  const filter = useMemo(
    () => ({
      q: values.q,
      status: valuesOfWords(JobStatusSchema, values.status),
      type: valuesOfWords(JobTypeSchema, values.type),
      failureClass: valuesOfWords(FailureClassSchema, values.failure),
      agentId: values.agent,
      targetId: values.target,
      certificateId: values.certificate,
    }),
    [values],
  );
  const list = useQuery(
    JobService.method.listJobs,
    { ...filter, sort: values.sort, page: values.page, perPage },
    { placeholderData: keepPreviousData },
  );
  const onChange = useCallback(
    (changes: Partial<typeof values>, options?: { replace?: boolean }) =>
      set({ ...changes, page: 1 }, options),
    [set],
  );
  const isFiltered = Object.keys(noJobFilter).some((name) => {
    const value = values[name as keyof typeof noJobFilter];
    return value.length > 0;
  });
  return (
    <>
      {selection.keys.size > 0 ? (
        <JobBulkBar jobs={list.data?.data ?? []} selection={selection} />
      ) : (
        <JobFilters values={values} filter={filter} onChange={onChange} />
      )}
      <ListBody
        label="Jobs"
        what="the jobs"
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        summary={(job) => (
          <>
            <JobBadge status={job.status} outcome={job.outcome} />
            <span className="truncate">{job.targetName || job.certificateName}</span>
          </>
        )}
        selection={selection}
        sort={values.sort}
        onSort={(sort) => set({ sort, page: 1 })}
        page={JSON.stringify(values)}
        pages={{ at: values.page, per: perPage, onChange: (page) => set({ page }) }}
        empty={
          isFiltered ? (
            <EmptyState
              icon={ListChecks}
              title="No job matches these filters"
              actions={<Button onClick={() => onChange(noJobFilter)}>Clear the filters</Button>}
            />
          ) : (
            <EmptyState icon={ListChecks} title="No jobs yet">
              Every issuance, renewal, deployment and look at a target shows here as it happens.
            </EmptyState>
          )
        }
      />
    </>
  );
}

const columns = jobColumns();
