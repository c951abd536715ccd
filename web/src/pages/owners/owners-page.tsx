import { Page, PageHeader } from "../../ui/panel.tsx";

export function OwnersPage() {
  return (
    <Page>
      <PageHeader title="Owners" />
    </Page>
  );
}
