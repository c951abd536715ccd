import { Page, PageHeader } from "../../ui/panel.tsx";

export function CertificatePage() {
  return (
    <Page>
      <PageHeader title="Certificate" />
    </Page>
  );
}
