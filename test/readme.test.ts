import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
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
  const blocks = Array.from(readme.matchAll(/```(?:sh|console)\n([\s\S]*?)```/g), ([, block = ""]) => block);
  const commands = blocks.filter((block) => /^(alias |certctl |api\(\) )/.test(block)).join("");
  expect(commands).toContain("certctl login ");
  const [, port = ""] = nginx.endpoint.split(":");
  const script = commands
    // What a shell that nobody sits at does not know, and what `npm start` alone has.
    .replace(/^alias .*$/m, "")
    .replace(/^.* mc-demo .*$/m, "")
    .replaceAll("/var/lib/certctl", system.dataDir)
    .replaceAll("https://localhost:8443", system.url)
    .replaceAll("shop.example.com:443", `shop.example.com:${port}`)
    .replaceAll("-I https://shop.example.com", `-I https://shop.example.com:${port}`);
  await symlink(join(import.meta.dirname, "..", "cli", "certctl"), join(directory, "certctl"));
  const { stdout } = await run("bash", ["--norc", "-euo", "pipefail", "-c", script], {
    env: { PATH: `${directory}:${process.env["PATH"] ?? ""}`, HOME: directory },
    timeout: 25_000,
  });

  expect(stdout).toMatch(/^job-\S+ {2}Proven$/m);
  expect(stdout).toContain('["Completed","Proven"]');
  const { body } = await system.rest("GET", "/api/v1/certificates/mc-shop/versions");
  expect(stdout).toContain(body.data[1].id);
  expect(stdout).toContain("HTTP/1.1 200 OK");
  await rm(directory, { recursive: true, force: true });
});
