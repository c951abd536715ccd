import { CircleUser, Monitor, Moon, Sun } from "lucide-react";
import { setPreferences, usePreferences } from "../preferences/preferences.ts";
import { IconButton } from "../ui/button.tsx";
import { Menu, MenuCheckbox, MenuItem, MenuLabel, MenuSeparator } from "../ui/menu.tsx";

const themes = [
  ["dark", "Dark", Moon],
  ["light", "Light", Sun],
  ["system", "As the system", Monitor],
] as const;

/** Who one is here, and how one likes it. */
export function AccountMenu() {
  const { theme, zone } = usePreferences();
  return (
    <Menu trigger={<IconButton icon={CircleUser} label="Account and preferences" />}>
      <MenuLabel>Theme</MenuLabel>
      {themes.map(([value, label, icon]) => (
        <MenuItem
          key={value}
          icon={icon}
          onSelect={() => setPreferences({ theme: value })}
          hint={theme === value && "✓"}
        >
          {label}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuCheckbox
        isChecked={zone === "utc"}
        onChange={(isUtc) => setPreferences({ zone: isUtc ? "utc" : "local" })}
      >
        Times in UTC
      </MenuCheckbox>
    </Menu>
  );
}
