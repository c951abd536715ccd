import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ClipboardCheck, Plus } from "lucide-react";
import { useCallback, useState } from "react";
import { PolicyMode, type PolicyRule, PolicyService } from "#gen/certctl/v1/policies_pb.ts";
import { usePermission } from "../../session/session.ts";
import { EnabledState } from "../../status/enabled-state.tsx";
import { SeverityState } from "../../status/severity-state.tsx";
import { Button } from "../../ui/button.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Checkbox } from "../../ui/field.tsx";
import { FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { numberText } from "../../ui/time-text.ts";
import { count, flag, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { PolicyTabs } from "./policy-tabs.tsx";
import { RuleForm } from "./rule-form.tsx";
import { sentenceOf } from "./sentence.ts";

const perPage = 50;
const parameters = { q: text(), archived: flag, sort: text("name"), page: count(1) };

const columns: Column<PolicyRule>[] = [
  {
    key: "name",
    header: "Rule",
    sort: "name",
    cell: ({ id, name, type, config }) => (
      <div className="min-w-0">
        <Link to="/policies/$id" params={{ id }} className="block truncate hover:text-accent">
          {name}
        </Link>
        <span className="block truncate font-normal text-fg2 text-sm">{sentenceOf(type, config)}</span>
      </div>
    ),
  },
  { key: "severity", header: "Severity", cell: ({ severity }) => <SeverityState severity={severity} /> },
  { key: "mode", header: "Applies", from: "md", cell: ({ mode }) => modeText(mode) },
  { key: "state", header: "State", from: "md", cell: (rule) => <EnabledState {...rule} /> },
  {
    key: "violations",
    header: "Violations",
    isRight: true,
    cell: ({ openViolations }) => (
      <span className={openViolations === 0 ? "text-fg2" : ""}>{numberText(openViolations)}</span>
    ),
  },
];

export function modeText(mode: PolicyMode): string {
  return mode === PolicyMode.ENFORCE ? "refuses what breaks it" : "records what breaks it";
}

/** What certificates have to be. */
export function PoliciesPage() {
  const [values, set] = useParameters(parameters);
  const [isOpen, setOpen] = useState(false);
  const write = usePermission("policies:write");
  const { q, archived, sort, page } = values;
  const list = useQuery(
    PolicyService.method.listPolicyRules,
    { q, archived, sort, page, perPage },
    { placeholderData: keepPreviousData },
  );
  const search = useCallback((text: string) => set({ q: text, page: 1 }, { replace: true }), [set]);
  const create = (
    <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => setOpen(true)}>
      Create a rule
    </Button>
  );
  const isFiltered = q !== "" || archived;
  return (
    <Page isWide>
      <PageHeader title="Policies" count={list.data?.total}>
        {create}
      </PageHeader>
      <PolicyTabs />
      <FilterBar>
        <FilterText value={q} onChange={search} placeholder="Filter by name" />
        <Checkbox
          label="Archived"
          checked={archived}
          onChange={(event) => set({ archived: event.target.checked, page: 1 })}
        />
      </FilterBar>
      <ListBody
        list={list}
        what="the rules"
        label="Policy rules"
        columns={columns}
        keyOf={({ id }) => id}
        summary={(rule) => (
          <>
            <SeverityState severity={rule.severity} />
            {numberText(rule.openViolations)} violations
          </>
        )}
        sort={sort}
        onSort={(next) => set({ sort: next, page: 1 })}
        page={JSON.stringify(values)}
        pages={{ at: page, per: perPage, onChange: (next) => set({ page: next }) }}
        empty={
          <EmptyState
            icon={ClipboardCheck}
            title={isFiltered ? "No rule matches these filters" : "No rules yet"}
            actions={isFiltered ? undefined : create}
          >
            {!isFiltered &&
              "A rule says what certificates have to be. It is tried on the inventory before it is saved."}
          </EmptyState>
        }
      />
      {isOpen && <RuleForm onClose={() => setOpen(false)} />}
    </Page>
  );
}
