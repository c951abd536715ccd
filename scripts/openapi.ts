// Writes docs/openapi.json from the contract. `--check` only says whether it is what the protos say.
import { readFileSync, writeFileSync } from "node:fs";
import { comments, services } from "#gen/contract.ts";
import { openApiDocument } from "../src/rest/openapi/document.ts";

const path = "docs/openapi.json";
const text = `${JSON.stringify(openApiDocument(services, comments), null, 1)}\n`;
if (!process.argv.includes("--check")) writeFileSync(path, text);
else if (readFileSync(path, "utf8") !== text) {
  console.error(`${path} is not what the protos say: run npm run openapi, look at the difference, commit it`);
  process.exit(1);
}
