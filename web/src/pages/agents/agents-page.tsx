import { Page, PageHeader } from "../../ui/panel.tsx";

export function AgentsPage() {
  return (
    <Page>
      <PageHeader title="Agents" />
    </Page>
  );
}
