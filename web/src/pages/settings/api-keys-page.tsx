import { Page, PageHeader } from "../../ui/panel.tsx";

export function ApiKeysPage() {
  return (
    <Page>
      <PageHeader title="API keys" />
    </Page>
  );
}
