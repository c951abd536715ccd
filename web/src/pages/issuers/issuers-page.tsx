import { Page, PageHeader } from "../../ui/panel.tsx";

export function IssuersPage() {
  return (
    <Page>
      <PageHeader title="Issuers" />
    </Page>
  );
}
