import { Page, PageHeader } from "../../ui/panel.tsx";

export function RenewalPoliciesPage() {
  return (
    <Page>
      <PageHeader title="Renewal policies" />
    </Page>
  );
}
