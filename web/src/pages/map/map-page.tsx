import { Page, PageHeader } from "../../ui/panel.tsx";

export function MapPage() {
  return (
    <Page>
      <PageHeader title="Trust map" />
    </Page>
  );
}
