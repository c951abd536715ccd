import { Page, PageHeader } from "../../ui/panel.tsx";

export function TeamPage() {
  return (
    <Page>
      <PageHeader title="Team" />
    </Page>
  );
}
