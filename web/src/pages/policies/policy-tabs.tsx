import { Tabs } from "../../ui/tabs.tsx";

export function PolicyTabs() {
  return (
    <Tabs
      label="Policies"
      tabs={[
        { to: "/policies", label: "Rules" },
        { to: "/policies/renewal", label: "Renewal policies" },
      ]}
    />
  );
}
