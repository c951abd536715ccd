import { Page, PageHeader } from "../../ui/panel.tsx";

export function EventPage() {
  return (
    <Page>
      <PageHeader title="Audit event" />
    </Page>
  );
}
