import { Page, PageHeader } from "../../ui/panel.tsx";

export function SchedulerPage() {
  return (
    <Page>
      <PageHeader title="Scheduled tasks" />
    </Page>
  );
}
