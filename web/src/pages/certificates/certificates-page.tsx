import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { Plus, ShieldCheck } from "lucide-react";
import { useMemo } from "react";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { usePermission } from "../../session/session.ts";
import { CertificateBadge } from "../../status/certificate-status.tsx";
import { Button } from "../../ui/button.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Page, PageHeader } from "../../ui/panel.tsx";
import { useSelection } from "../../ui/selection.ts";
import { useParameters } from "../../url/use-parameters.ts";
import { BulkBar } from "./bulk-bar.tsx";
import { certificateColumns, Expires } from "./columns.tsx";
import { CreateCertificate } from "./create-certificate.tsx";
import { useDefaultView } from "./default-view.ts";
import { ListFilters } from "./list-filters.tsx";
import { ListMenu } from "./list-menu.tsx";
import { filterOf, isFiltered, listParameters, noFilter } from "./parameters.ts";
import { PinnedViews, ViewsMenu } from "./views-menu.tsx";

const perPage = 50;

export function CertificatesPage() {
  const [values, set] = useParameters(listParameters);
  const selection = useSelection();
  useDefaultView();
  const write = usePermission("certificates:write");
  const filter = useMemo(() => filterOf(values), [values]);
  const input = {
    ...filter,
    archived: values.archived,
    sort: values.sort,
    page: values.page,
    perPage,
  };
  const list = useQuery(CertificateService.method.listCertificates, input, {
    placeholderData: keepPreviousData,
  });
  const total = list.data?.total ?? 0;
  const columns = useMemo(() => certificateColumns(values.cols), [values.cols]);
  const create = (
    <Button kind="primary" icon={Plus} disabledReason={write.reason} onClick={() => set({ new: true })}>
      Issue a certificate
    </Button>
  );
  return (
    <Page isWide>
      <PageHeader title="Certificates" count={list.data && total}>
        <ViewsMenu values={values} />
        <ListMenu values={values} set={set} input={input} total={total} />
        {create}
      </PageHeader>
      <PinnedViews values={values} />
      {selection.keys.size > 0 && !values.archived ? (
        <BulkBar selection={selection} filter={filter} total={total} isFiltered={isFiltered(values)} />
      ) : (
        <ListFilters values={values} set={set} />
      )}
      <ListBody
        list={list}
        what="the certificates"
        label="Certificates"
        columns={columns}
        keyOf={({ id }) => id}
        summary={(certificate) => (
          <>
            <CertificateBadge status={certificate.status} schedule={certificate.schedule} />
            <Expires certificate={certificate} />
          </>
        )}
        sort={values.sort}
        onSort={(sort) => set({ sort, page: 1 })}
        // Operations act on live ones: what is archived is restored one by one.
        {...(!values.archived && { selection })}
        page={JSON.stringify(values)}
        pages={{ at: values.page, per: perPage, onChange: (page) => set({ page }) }}
        empty={
          isFiltered(values) ? (
            <EmptyState
              icon={ShieldCheck}
              title="No certificate matches these filters"
              actions={<Button onClick={() => set({ ...noFilter, page: 1 })}>Clear the filters</Button>}
            />
          ) : (
            <EmptyState icon={ShieldCheck} title="No certificates yet" actions={create}>
              Name what is to be served and where; the agent there makes the key, and certctl keeps it
              renewed.
            </EmptyState>
          )
        }
      />
      {values.new && <CreateCertificate onClose={() => set({ new: false }, { replace: true })} />}
    </Page>
  );
}
