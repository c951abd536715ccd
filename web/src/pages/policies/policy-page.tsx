import { Page, PageHeader } from "../../ui/panel.tsx";

export function PolicyPage() {
  return (
    <Page>
      <PageHeader title="Policy" />
    </Page>
  );
}
