import { Page, PageHeader } from "../../ui/panel.tsx";

export function OperationPage() {
  return (
    <Page>
      <PageHeader title="Operation" />
    </Page>
  );
}
