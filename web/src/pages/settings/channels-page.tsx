import { Page, PageHeader } from "../../ui/panel.tsx";

export function ChannelsPage() {
  return (
    <Page>
      <PageHeader title="Channels" />
    </Page>
  );
}
