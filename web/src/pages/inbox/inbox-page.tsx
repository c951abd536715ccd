import { Page, PageHeader } from "../../ui/panel.tsx";

export function InboxPage() {
  return (
    <Page>
      <PageHeader title="Inbox" />
    </Page>
  );
}
