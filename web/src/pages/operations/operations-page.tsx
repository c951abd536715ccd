import { Page, PageHeader } from "../../ui/panel.tsx";

export function OperationsPage() {
  return (
    <Page>
      <PageHeader title="Operations" />
    </Page>
  );
}
