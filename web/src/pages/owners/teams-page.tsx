import { Page, PageHeader } from "../../ui/panel.tsx";

export function TeamsPage() {
  return (
    <Page>
      <PageHeader title="Teams" />
    </Page>
  );
}
