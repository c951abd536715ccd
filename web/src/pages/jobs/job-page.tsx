import { Page, PageHeader } from "../../ui/panel.tsx";

export function JobPage() {
  return (
    <Page>
      <PageHeader title="Job" />
    </Page>
  );
}
