import { Page, PageHeader } from "../../ui/panel.tsx";

export function TargetsPage() {
  return (
    <Page>
      <PageHeader title="Targets" />
    </Page>
  );
}
