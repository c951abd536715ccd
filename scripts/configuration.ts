// Writes the tables of docs/configuration.md from the settings that the code reads. `--check` only says whether they agree.
import { readFileSync, writeFileSync } from "node:fs";
import type { z } from "zod";
import { agentSecrets, agentSettings } from "../agent/config.ts";
import { cliSecrets, cliSettings } from "../cli/settings.ts";
import { serverSecrets, serverSettings } from "../src/server-settings.ts";

const path = "docs/configuration.md";
const tables = {
  server: table(serverSettings.shape, serverSecrets),
  agent: table(agentSettings.shape, agentSecrets),
  cli: table(cliSettings.shape, cliSecrets),
};

const before = readFileSync(path, "utf8");
const after = Object.entries(tables).reduce(
  (text, [name, rows]) =>
    text.replace(
      new RegExp(`(<!-- ${name}: .* -->\n)[\\s\\S]*?(<!-- end -->)`),
      (_, start, end) => `${start}${rows}${end}`,
    ),
  before,
);
if (!process.argv.includes("--check")) writeFileSync(path, after);
else if (after !== before) {
  console.error(`${path} is not what the settings say: run npm run docs`);
  process.exit(1);
}

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
