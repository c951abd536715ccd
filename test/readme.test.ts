import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startNginx } from "./nginx.ts";
import { nginxEntry, startSystem } from "./system.ts";

const run = promisify(execFile);

test("the README's commands bring a certificate to an nginx", async () => {
  await using system = await startSystem();
  const directory = await mkdtemp(join(tmpdir(), "certctl-nginx-"));
  await using nginx = await startNginx({ directory });
  await using agent = await system.startAgent("ag-local");
  await agent.allow({ allowed_directories: [directory], targets: { shop: nginxEntry(nginx) } });

  const readme = await readFile("README.md", "utf8");
  const blocks = Array.from(readme.matchAll(/```sh\n([\s\S]*?)```/g), ([, block = ""]) => block);
  const commands = blocks.filter((block) => /^(data=|api )/.test(block)).join("");
  const [, port = ""] = nginx.endpoint.split(":");
  const script = commands
    .replaceAll("/var/lib/certctl", system.dataDir)
    .replaceAll("https://localhost:8443", system.url)
    .replaceAll("shop.example.com:443", `shop.example.com:${port}`)
    .replaceAll("-I https://shop.example.com", `-I https://shop.example.com:${port}`);
  const { stdout } = await run("bash", ["-euo", "pipefail", "-c", script], { timeout: 25_000 });

  expect(stdout).toContain('["Completed","Proven"]');
  const { body } = await system.rest("GET", "/api/v1/certificates/mc-shop/deployments");
  expect(stdout).toContain(body.data[0].served_fingerprint_sha256);
  expect(stdout).toContain("HTTP/1.1 200 OK");
  await rm(directory, { recursive: true, force: true });
});
