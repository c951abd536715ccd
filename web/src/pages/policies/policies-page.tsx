import { Page, PageHeader } from "../../ui/panel.tsx";

export function PoliciesPage() {
  return (
    <Page>
      <PageHeader title="Policies" />
    </Page>
  );
}
