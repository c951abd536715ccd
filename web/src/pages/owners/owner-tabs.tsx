import { Tabs } from "../../ui/tabs.tsx";

export function OwnerTabs() {
  return (
    <Tabs
      label="Owners and teams"
      tabs={[
        { to: "/owners", label: "Owners" },
        { to: "/owners/teams", label: "Teams" },
      ]}
    />
  );
}
