import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CalendarClock, Plus } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { type RenewalPolicy, RenewalPolicyService } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Checkbox } from "../../ui/field.tsx";
import { FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { count, flag, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { PolicyTabs } from "./policy-tabs.tsx";
import { RenewalPolicyActions } from "./renewal-policy-actions.tsx";
import { RenewalPolicyForm } from "./renewal-policy-form.tsx";

const perPage = 50;
const parameters = { q: text(), archived: flag, sort: text("name"), page: count(1) };

/** When certificates are renewed, and who is told what. */
export function RenewalPoliciesPage() {
  const [values, set] = useParameters(parameters);
  const [edited, setEdited] = useState<RenewalPolicy | "new">();
  const write = usePermission("renewal-policies:write");
  const list = useQuery(
    RenewalPolicyService.method.listRenewalPolicies,
    { ...values, perPage },
    { placeholderData: keepPreviousData },
  );
  const search = useCallback((q: string) => set({ q, page: 1 }, { replace: true }), [set]);
  const columns = useMemo(() => columnsFor(write.isAllowed ? setEdited : undefined), [write.isAllowed]);
  return (
    <Page isWide>
      <PageHeader title="Renewal policies" count={list.data?.total}>
        <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => setEdited("new")}>
          Create a renewal policy
        </Button>
      </PageHeader>
      <PolicyTabs />
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
        <Checkbox
          label="Archived"
          checked={values.archived}
          onChange={(event) => set({ archived: event.target.checked, page: 1 })}
        />
      </FilterBar>
      <ListBody
        list={list}
        what="the renewal policies"
        label="Renewal policies"
        columns={columns}
        keyOf={({ id }) => id}
        summary={({ certificateCount }) => countText(certificateCount, "certificate")}
        sort={values.sort}
        onSort={(sort) => set({ sort, page: 1 })}
        page={JSON.stringify(values)}
        pages={{ at: values.page, per: perPage, onChange: (page) => set({ page }) }}
        empty={<EmptyState icon={CalendarClock} title="No renewal policy matches these filters" />}
      />
      {edited && (
        <RenewalPolicyForm
          {...(edited !== "new" && { policy: edited })}
          onClose={() => setEdited(undefined)}
        />
      )}
    </Page>
  );
}

/** @param onEdit left out for those who may not */
function columnsFor(onEdit: ((policy: RenewalPolicy) => void) | undefined): Column<RenewalPolicy>[] {
  return [
    {
      key: "name",
      header: "Policy",
      sort: "name",
      cell: (policy) => (
        <div className="min-w-0">
          {onEdit ? (
            <button
              type="button"
              onClick={() => onEdit(policy)}
              className="block max-w-full truncate rounded-control text-left hover:text-accent"
            >
              {policy.name}
            </button>
          ) : (
            <span className="block truncate">{policy.name}</span>
          )}
          <span className="block truncate font-normal text-fg2 text-sm">{renewalSentence(policy)}</span>
        </div>
      ),
    },
    {
      key: "alerts",
      header: "Alerts",
      from: "md",
      cell: ({ alertThresholdsDays }) => `${alertThresholdsDays.join(", ")} d before the end`,
    },
    {
      key: "channels",
      header: "Tells",
      from: "md",
      cell: ({ channels }) =>
        channels.length === 0 ? (
          <span className="tone-warn tone-text">nobody</span>
        ) : (
          countText(channels.length, "channel")
        ),
    },
    {
      key: "certificates",
      header: "Certificates",
      isRight: true,
      cell: ({ id, certificateCount }) => (
        <Link to="/certificates" search={{ policy: id } as never} className="hover:text-accent">
          {numberText(certificateCount)}
        </Link>
      ),
    },
    { key: "actions", header: "", isRight: true, cell: (policy) => <RenewalPolicyActions policy={policy} /> },
  ];
}

function renewalSentence({ autoRenew, renewalWindowDays, maxRetries, healDrift }: RenewalPolicy): string {
  const tried = `tried ${countText(maxRetries + 1, "time")}${healDrift ? "; drift is put right" : ""}`;
  return autoRenew
    ? `Renewed ${countText(renewalWindowDays, "day")} before the end, or after two thirds of the lifetime; ${tried}`
    : `Renewed by hand alone; ${tried}`;
}
