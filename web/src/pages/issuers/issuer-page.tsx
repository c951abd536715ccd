import { Page, PageHeader } from "../../ui/panel.tsx";

export function IssuerPage() {
  return (
    <Page>
      <PageHeader title="Issuer" />
    </Page>
  );
}
