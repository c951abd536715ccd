import { usePermission } from "../../session/session.ts";
import { Tabs } from "../../ui/tabs.tsx";

/** The parts of the settings that the caller may see. */
export function SettingsTabs() {
  const keys = usePermission("api-keys:read").isAllowed;
  const channels = usePermission("notifiers:read").isAllowed;
  const scheduler = usePermission("scheduler:read").isAllowed;
  return (
    <Tabs
      label="Settings"
      tabs={[
        { to: "/settings", label: "Preferences" },
        ...(keys ? [{ to: "/settings/api-keys", label: "API keys" }] : []),
        ...(channels ? [{ to: "/settings/channels", label: "Channels" }] : []),
        ...(scheduler ? [{ to: "/settings/scheduler", label: "Scheduled tasks" }] : []),
      ]}
    />
  );
}
