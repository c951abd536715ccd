// Writes the tables of docs/targets from the schemas of agent.yaml. `--check` only says whether they agree.
import { z } from "zod";
import { fileConfig } from "../src/targets/file-schema.ts";
import { targets } from "../src/targets/registry.ts";
import { configTable } from "./config-table.ts";
import { writeBlocks } from "./doc-blocks.ts";

writeBlocks("docs/targets.md", { config: configTable(z.toJSONSchema(fileConfig, { io: "input" })) });
for (const { kind, host } of targets) {
  const { properties: { kind: _, ...properties } = {}, ...schema } = z.toJSONSchema(host, { io: "input" });
  writeBlocks(`docs/targets/${kind}.md`, { [kind]: configTable({ ...schema, properties }) });
}
