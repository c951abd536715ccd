import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus, Stamp, Upload } from "lucide-react";
import { useCallback } from "react";
import { AuthorityService, KeyPlaceSchema } from "#gen/certctl/v1/authorities_pb.ts";
import { usePermission } from "../../session/session.ts";
import { AuthorityBadge } from "../../status/authority-state.tsx";
import { wordOfValue } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { cx } from "../../ui/class-names.ts";
import { type Column, DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { FilterBar, FilterText } from "../../ui/filter-bar.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { numberText } from "../../ui/time-text.ts";
import { flag, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { AuthorityForm } from "./authority-form.tsx";
import { ImportForm } from "./import-form.tsx";
import { roleText } from "./role-text.ts";
import { type TreeRow, treeOf } from "./tree.ts";

const parameters = { q: text(), new: flag, import: flag };

const indents = ["", "pl-5", "pl-10", "pl-14"];

const columns: Column<TreeRow>[] = [
  {
    key: "name",
    header: "Name",
    cell: ({ authority: { id, name }, depth }) => (
      <span className={cx("flex min-w-0", indents[Math.min(depth, indents.length - 1)])}>
        <Link to="/authorities/$id" params={{ id }} className="block truncate hover:text-accent">
          {name}
        </Link>
      </span>
    ),
  },
  { key: "role", header: "Role", from: "md", cell: ({ authority }) => roleText(authority.role) },
  { key: "state", header: "State", cell: ({ authority }) => <AuthorityBadge {...authority} /> },
  {
    key: "issuer",
    header: "Signs for",
    from: "md",
    cell: ({ authority: { issuerId, issuerName } }) =>
      issuerId && (
        <Link to="/issuers/$id" params={{ id: issuerId }} className="hover:text-accent">
          {issuerName}
        </Link>
      ),
  },
  {
    key: "key",
    header: "Key",
    from: "lg",
    cell: ({ authority }) => `${authority.keyAlgorithm} · ${wordOfValue(KeyPlaceSchema, authority.keyPlace)}`,
  },
  { key: "ends", header: "Ends", cell: ({ authority }) => <Time at={authority.notAfter} /> },
  {
    key: "valid",
    header: "Valid certificates",
    isRight: true,
    from: "lg",
    cell: ({ authority }) => (authority.issuerId ? numberText(authority.validCertificates) : ""),
  },
];

/** certctl's own CAs, each below the one that signed it. */
export function AuthoritiesPage() {
  const [values, set] = useParameters(parameters);
  const write = usePermission("authorities:write");
  const list = useQuery(
    AuthorityService.method.listAuthorities,
    { q: values.q, perPage: 500, sort: "name" },
    { placeholderData: keepPreviousData },
  );
  const search = useCallback((q: string) => set({ q }, { replace: true }), [set]);
  return (
    <Page isWide>
      <PageHeader title="Authorities" parent={{ to: "/issuers", label: "Issuers" }} count={list.data?.total}>
        <Button icon={Upload} disabledReason={write.reason} onClick={() => set({ import: true })}>
          Import a CA
        </Button>
        <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => set({ new: true })}>
          Create an authority
        </Button>
      </PageHeader>
      <FilterBar>
        <FilterText value={values.q} onChange={search} placeholder="Filter by name" />
      </FilterBar>
      {list.error && !list.data ? (
        <ErrorCard error={list.error} what="the authorities" onRetry={() => void list.refetch()} />
      ) : (
        <DataTable
          label="Authorities"
          rows={treeOf(list.data?.data ?? [])}
          columns={columns}
          keyOf={({ authority }) => authority.id}
          summary={({ authority }) => <AuthorityBadge {...authority} />}
          page={values.q}
          isLoading={list.isPending}
          isStale={list.isPlaceholderData}
          empty={<EmptyState icon={Stamp} title="No authority matches" />}
        />
      )}
      {values.import && <ImportForm onClose={() => set({ import: false }, { replace: true })} />}
      {values.new && <AuthorityForm onClose={() => set({ new: false }, { replace: true })} />}
    </Page>
  );
}
