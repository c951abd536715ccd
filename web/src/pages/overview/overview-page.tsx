import { Page, PageHeader } from "../../ui/panel.tsx";

export function OverviewPage() {
  return (
    <Page>
      <PageHeader title="Overview" />
    </Page>
  );
}
