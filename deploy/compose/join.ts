// Makes a join token with the admin's API key and leaves it for the agent: join.ts <agent id> <file>
// An agent that has an identity ignores it; one that was away for longer than its identity lasted comes back by it.
import { readFile, rename, writeFile } from "node:fs/promises";

const [agentId = "", path = ""] = process.argv.slice(2);
const { CERTCTL_SERVER_URL = "", CERTCTL_DATA_DIR = "" } = process.env;

const adminKey = (await readFile(`${CERTCTL_DATA_DIR}/admin.key`, "utf8")).trim();
const answer = await fetch(new URL("/api/v1/join-tokens", CERTCTL_SERVER_URL), {
  method: "POST",
  headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
  body: JSON.stringify({ agent_id: agentId }),
  signal: AbortSignal.timeout(10_000),
});
const body = (await answer.json()) as { join?: string; message?: string };
if (!answer.ok || !body.join) throw new Error(`no join token: ${body.message ?? answer.status}`);
await writeFile(`${path}.new`, body.join, { mode: 0o400 });
await rename(`${path}.new`, path);
