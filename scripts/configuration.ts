// Writes the tables of docs/configuration.md from the settings that the code reads. `--check` only says whether they agree.
import type { z } from "zod";
import { agentSecrets, agentSettings } from "../agent/config.ts";
import { cliSecrets, cliSettings } from "../cli/settings.ts";
import { serverSecrets, serverSettings } from "../src/server-settings.ts";
import { writeBlocks } from "./doc-blocks.ts";

writeBlocks("docs/configuration.md", {
  server: table(serverSettings.shape, serverSecrets),
  agent: table(agentSettings.shape, agentSecrets),
  cli: table(cliSettings.shape, cliSecrets),
});

function table(settings: Record<string, z.ZodType>, secrets: readonly string[]): string {
  const rows = Object.entries(settings).map(([name, setting]) => {
    const { description, whenUnset } = setting.meta() ?? {};
    if (!description) throw new Error(`${name} has no description: add .meta({ description }) to it`);
    const isSecret = secrets.includes(name) ? " *" : "";
    return `| \`${name}\`${isSecret} | ${whenUnset ?? defaultOf(setting)} | ${description} |\n`;
  });
  return `| Variable | Default | |\n|---|---|---|\n${rows.join("")}`;
}

function defaultOf(setting: z.ZodType): string {
  const { data } = setting.safeParse(undefined);
  return data === undefined || String(data) === "" ? "" : `\`${String(data)}\``;
}
