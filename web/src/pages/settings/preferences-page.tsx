import { useId } from "react";
import { type Preferences, setPreferences, usePreferences } from "../../preferences/preferences.ts";
import { useSession } from "../../session/session.ts";
import { Checkbox } from "../../ui/field.tsx";
import { Facts, Page, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { SettingsTabs } from "./settings-tabs.tsx";

/** How one likes it; kept in this browser. */
export function PreferencesPage() {
  const preferences = usePreferences();
  return (
    <Page>
      <PageHeader title="Preferences" />
      <SettingsTabs />
      <Panel title="How it looks" note="kept in this browser">
        <div className="flex flex-col gap-5">
          <Choice
            name="Theme"
            value={preferences.theme}
            values={{ dark: "Dark", light: "Light", system: "As the system" }}
            onChange={(theme) => setPreferences({ theme })}
          />
          <Choice
            name="Rows of tables"
            value={preferences.density}
            values={{ compact: "Compact", default: "Normal", roomy: "Roomy" }}
            onChange={(density) => setPreferences({ density })}
          />
          <Choice
            name="Times"
            value={preferences.zone}
            values={{ local: `This machine's (${zoneName()})`, utc: "UTC" }}
            onChange={(zone) => setPreferences({ zone })}
          />
        </div>
      </Panel>
      <Panel title="Keyboard">
        <Checkbox
          label="Single keys are shortcuts"
          hint="j and k walk through rows, g c goes to the certificates, ? shows all. Switch it off where they get in the way of assistive technology; Ctrl K and Escape stay."
          checked={preferences.hasShortcuts}
          onChange={(event) => setPreferences({ hasShortcuts: event.target.checked })}
        />
      </Panel>
      <About />
    </Page>
  );
}

function zoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function Choice<Value extends Preferences["theme"] | Preferences["density"] | Preferences["zone"]>({
  name,
  value,
  values,
  onChange,
}: {
  name: string;
  value: Value;
  values: Readonly<Record<Value, string>>;
  onChange(value: Value): void;
}) {
  const id = useId();
  return (
    <fieldset className="flex flex-wrap items-center gap-x-6 gap-y-2">
      <legend className="float-left w-36 text-fg2">{name}</legend>
      {(Object.entries(values) as [Value, string][]).map(([each, label]) => (
        <label key={each} className="flex min-h-6 items-center gap-2">
          <input
            type="radio"
            name={id}
            className="size-4"
            checked={each === value}
            onChange={() => onChange(each)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

/** Which control plane this is. */
function About() {
  const session = useSession();
  const server = session?.server;
  return (
    <Panel title="About">
      <Facts
        facts={[
          ["certctl", server?.version ?? "…"],
          [
            "Address",
            <span key="address" className="font-mono text-sm">
              {location.origin}
            </span>,
          ],
          ["Its time", <Time key="time" at={server?.time} isExact none="…" />],
          [
            "Private keys",
            server?.keygenMode === "server"
              ? "made in the control plane: for demonstrations only"
              : "made by agents, where they are used; they never travel",
          ],
          [
            "Who may call",
            server?.authType === "none"
              ? "every program on its machine, without a key"
              : "who has an API key",
          ],
          [
            "Reference",
            <a key="reference" href="/api/docs" className="leading-6 text-accent hover:underline">
              Every call of the API
            </a>,
          ],
        ]}
      />
    </Panel>
  );
}
