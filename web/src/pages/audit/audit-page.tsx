import { Page, PageHeader } from "../../ui/panel.tsx";

export function AuditPage() {
  return (
    <Page>
      <PageHeader title="Audit" />
    </Page>
  );
}
