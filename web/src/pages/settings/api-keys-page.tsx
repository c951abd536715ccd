import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { ApiKeyService } from "#gen/certctl/v1/api_keys_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { DataTable } from "../../ui/data-table.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { FacetMenu, FilterBar } from "../../ui/filter-bar.tsx";
import { Pager } from "../../ui/pager.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { count, list, text } from "../../url/search.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { KeyStatus, keyColumns } from "./api-key-columns.tsx";
import { KeyMenu } from "./api-key-menu.tsx";
import { NewKey } from "./api-key-new.tsx";
import { roles, roleWords, statuses, statusWords } from "./api-key-words.ts";
import { SettingsTabs } from "./settings-tabs.tsx";

const perPage = 50;
const parameters = { role: list, status: list, sort: text("-created_at"), page: count(1) };

/** With what people, programs and agents call. */
export function ApiKeysPage() {
  const [values, set] = useParameters(parameters);
  const [isMaking, setMaking] = useState(false);
  const write = usePermission("api-keys:write");
  const keys = useQuery(
    ApiKeyService.method.listApiKeys,
    {
      role: values.role.filter((word) => roles.includes(word)).map(roleWords.value),
      status: values.status.filter((word) => statuses.includes(word)).map(statusWords.value),
      sort: values.sort,
      page: values.page,
      perPage,
    },
    { placeholderData: keepPreviousData },
  );
  const total = keys.data?.total ?? 0;
  const options = (words: readonly string[]) => words.map((value) => ({ value, label: value }));
  return (
    <Page isWide>
      <PageHeader title="API keys" count={keys.data && total}>
        <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => setMaking(true)}>
          Create an API key
        </Button>
      </PageHeader>
      <SettingsTabs />
      <FilterBar>
        <FacetMenu
          label="Role"
          values={options(roles)}
          chosen={values.role}
          onChange={(role) => set({ role, page: 1 })}
        />
        <FacetMenu
          label="Status"
          values={options(statuses)}
          chosen={values.status}
          onChange={(status) => set({ status, page: 1 })}
        />
      </FilterBar>
      {keys.error && !keys.data ? (
        <ErrorCard error={keys.error} what="the API keys" onRetry={() => void keys.refetch()} />
      ) : (
        <DataTable
          label="API keys"
          rows={keys.data?.data ?? []}
          columns={keyColumns}
          keyOf={({ id }) => id}
          summary={(key) => (
            <>
              <KeyStatus apiKey={key} />
              <span>{roleWords.text(key.role)}</span>
              <KeyMenu apiKey={key} />
            </>
          )}
          sort={values.sort}
          onSort={(sort) => set({ sort, page: 1 })}
          page={JSON.stringify(values)}
          isLoading={keys.isPending}
          isStale={keys.isPlaceholderData}
          empty={<EmptyState icon={KeyRound} title="No API key matches" />}
        />
      )}
      {total > perPage && (
        <Pager page={values.page} perPage={perPage} total={total} onPage={(page) => set({ page })} />
      )}
      {isMaking && <NewKey onClose={() => setMaking(false)} />}
    </Page>
  );
}
