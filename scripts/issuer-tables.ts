// Writes the tables of docs/issuers.md from the schemas of the issuers. `--check` only says whether they agree.
import { configSchema } from "../src/connectors/fields.ts";
import { issuers } from "../src/issuers/registry.ts";
import { configTable } from "./config-table.ts";
import { writeBlocks } from "./doc-blocks.ts";

/** These have a page of their own that says it all. */
const elsewhere = ["local-ca", "acme"];
const tables = Object.fromEntries(
  issuers
    .filter(({ kind }) => !elsewhere.includes(kind))
    .map(({ kind, config }) => [kind, configTable(configSchema(config))]),
);
for (const [kind, rows] of Object.entries(tables))
  writeBlocks(kind === "script" ? "docs/issuers.md" : `docs/issuers/${kind}.md`, { [kind]: rows });
