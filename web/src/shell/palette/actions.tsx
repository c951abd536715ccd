import { useNavigate } from "@tanstack/react-router";
import { Contrast, Plus, Server } from "lucide-react";
import { setPreferences, usePreferences } from "../../preferences/preferences.ts";
import { usePermission } from "../../session/session.ts";
import { navigation } from "../navigation.ts";
import { Group, Item } from "./item.tsx";

/** The views, and what can be begun from anywhere. */
export function Actions({ typed, go }: { typed: string; go(run: () => unknown): void }) {
  const navigate = useNavigate();
  const { theme } = usePreferences();
  const mayWrite = usePermission("certificates:write").isAllowed;
  const mayEnrol = usePermission("agents:write").isAllowed;
  const matches = (label: string) => label.toLowerCase().includes(typed.toLowerCase());
  const views = navigation.flatMap(({ entries }) => [...entries]).filter(({ label }) => matches(label));
  const actions = [
    mayWrite && {
      label: "Issue a certificate",
      icon: Plus,
      run: () => navigate({ to: "/certificates", search: { new: "1" } as never }),
    },
    mayEnrol && {
      label: "Enrol an agent",
      icon: Server,
      run: () => navigate({ to: "/agents", search: { new: "1" } as never }),
    },
    {
      label: theme === "light" ? "Switch to the dark theme" : "Switch to the light theme",
      icon: Contrast,
      run: () => setPreferences({ theme: theme === "light" ? "dark" : "light" }),
    },
  ].filter((action) => action !== false && matches(action.label));
  return (
    <>
      {views.length > 0 && (
        <Group heading="Views">
          {views.map(({ to, label, icon }) => (
            <Item key={to} value={`view ${label}`} icon={icon} onSelect={() => go(() => navigate({ to }))}>
              {label}
            </Item>
          ))}
        </Group>
      )}
      {actions.length > 0 && (
        <Group heading="Actions">
          {actions.map(
            (action) =>
              action && (
                <Item
                  key={action.label}
                  value={action.label}
                  icon={action.icon}
                  onSelect={() => go(action.run)}
                >
                  {action.label}
                </Item>
              ),
          )}
        </Group>
      )}
    </>
  );
}
