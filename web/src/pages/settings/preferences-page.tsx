import { Page, PageHeader } from "../../ui/panel.tsx";

export function PreferencesPage() {
  return (
    <Page>
      <PageHeader title="Preferences" />
    </Page>
  );
}
