import { Page, PageHeader } from "../../ui/panel.tsx";

export function RenewalsPage() {
  return (
    <Page>
      <PageHeader title="Renewals" />
    </Page>
  );
}
