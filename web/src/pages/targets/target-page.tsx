import { Page, PageHeader } from "../../ui/panel.tsx";

export function TargetPage() {
  return (
    <Page>
      <PageHeader title="Target" />
    </Page>
  );
}
