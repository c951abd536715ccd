import { useMutation, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { FlaskConical, ShieldCheck } from "lucide-react";
import { type PolicyRule, PolicyService, type PolicyViolation } from "#gen/certctl/v1/policies_pb.ts";
import { EnabledState } from "../../status/enabled-state.tsx";
import { SeverityState } from "../../status/severity-state.tsx";
import { Button } from "../../ui/button.tsx";
import { Choice } from "../../ui/choice.tsx";
import { CopyText } from "../../ui/copy.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorNote } from "../../ui/error-card.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { choice, count } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { DryRunResult } from "./dry-run-result.tsx";
import { modeText } from "./policies-page.tsx";
import { RuleActions } from "./rule-actions.tsx";
import { sentenceOf } from "./sentence.ts";

const parent = { to: "/policies", label: "Policies" };
const perPage = 50;
const parameters = { show: choice(["open", "closed"], "open"), page: count(1) };

/** One rule, and what breaks it. */
export function PolicyPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(PolicyService.method.getPolicyRule, { id });
  const dryRun = useMutation(PolicyService.method.dryRunPolicyRule);
  return (
    <ObjectPage id={id} what="rule" parent={parent} value={read.data?.policyRule} query={read}>
      {(rule) => (
        <>
          <PageHeader title={rule.name} parent={parent} badge={<EnabledState {...rule} />}>
            <Button
              icon={FlaskConical}
              isPending={dryRun.isPending}
              onClick={() => dryRun.mutate({ type: rule.type, config: rule.config ?? {} })}
            >
              Try on the inventory
            </Button>
            <RuleActions rule={rule} />
          </PageHeader>
          <p className="text-fg1">{sentenceOf(rule.type, rule.config)}.</p>
          {dryRun.error && <ErrorNote error={dryRun.error} />}
          {dryRun.data && <DryRunResult result={dryRun.data} />}
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <Violations ruleId={rule.id} />
            <RuleFacts rule={rule} />
          </div>
        </>
      )}
    </ObjectPage>
  );
}

function RuleFacts({ rule }: { rule: PolicyRule }) {
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ["Severity", <SeverityState key="severity" severity={rule.severity} />],
          ["Applies", modeText(rule.mode)],
          ["Type", rule.type],
          ["Id", <CopyText key="id" text={rule.id} />],
          ["Created", <Time key="created" at={rule.createdAt} isExact />],
          ["Changed", <Time key="updated" at={rule.updatedAt} isExact />],
          rule.archivedAt && ["Archived", <Time key="archived" at={rule.archivedAt} isExact />],
        ]}
      />
    </Panel>
  );
}

const columns: Column<PolicyViolation>[] = [
  {
    key: "certificate",
    header: "Certificate",
    cell: ({ certificateId, certificateName }) => (
      <Link
        to="/certificates/$id"
        params={{ id: certificateId }}
        className="block truncate hover:text-accent"
      >
        {certificateName}
      </Link>
    ),
  },
  {
    key: "message",
    header: "What is wrong",
    cell: ({ message }) => (
      <span className="block max-w-96 truncate" title={message}>
        {message}
      </span>
    ),
  },
  { key: "opened", header: "Since", sort: "opened_at", cell: ({ openedAt }) => <Time at={openedAt} /> },
  { key: "closed", header: "Until", from: "md", cell: ({ closedAt }) => <Time at={closedAt} none="now" /> },
];

function Violations({ ruleId }: { ruleId: string }) {
  const [{ show, page }, set] = useParameters(parameters);
  const list = useQuery(
    PolicyService.method.listPolicyViolations,
    { ruleId, open: show === "open", page, perPage, sort: "-opened_at" },
    { placeholderData: keepPreviousData },
  );
  return (
    <Panel
      title="Violations"
      isFlush
      actions={
        <Choice
          label="Show"
          values={[
            { value: "open", label: "open" },
            { value: "closed", label: "closed" },
          ]}
          chosen={show}
          onChange={(next) => set({ show: next, page: 1 })}
        />
      }
    >
      <div className="px-2 pb-2">
        <ListBody
          list={list}
          what="the violations"
          label="Violations"
          columns={columns}
          keyOf={({ id }) => id}
          summary={({ message }) => message}
          page={`${show} ${page}`}
          pages={{ at: page, per: perPage, onChange: (next) => set({ page: next }) }}
          empty={
            <EmptyState
              icon={ShieldCheck}
              title={
                show === "open" ? "Nothing breaks this rule" : "Nothing has broken this rule and been mended"
              }
            />
          }
        />
      </div>
    </Panel>
  );
}
