import { Page, PageHeader } from "../../ui/panel.tsx";

export function JobsPage() {
  return (
    <Page>
      <PageHeader title="Jobs" />
    </Page>
  );
}
