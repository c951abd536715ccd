import { Page, PageHeader } from "../../ui/panel.tsx";

export function CertificatesPage() {
  return (
    <Page>
      <PageHeader title="Certificates" />
    </Page>
  );
}
