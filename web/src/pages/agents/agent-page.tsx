import { Page, PageHeader } from "../../ui/panel.tsx";

export function AgentPage() {
  return (
    <Page>
      <PageHeader title="Agent" />
    </Page>
  );
}
