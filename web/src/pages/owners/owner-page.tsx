import { Page, PageHeader } from "../../ui/panel.tsx";

export function OwnerPage() {
  return (
    <Page>
      <PageHeader title="Owner" />
    </Page>
  );
}
