import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ntfy } from "../docs/examples/ntfy.ts";
import { createEgress } from "../src/platform/egress.ts";
import { startNginx } from "./nginx.ts";
import { notice } from "./notice.ts";
import { startReceiver } from "./receiver.ts";
import { nginxEntry, type System, startSystem } from "./system.ts";

/** The commands in the documents, as a reader would type them one after the other. */

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..");

let parts: AsyncDisposableStack;
let system: System;
let directory: string;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  directory = await mkdtemp(join(tmpdir(), "certctl-docs-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, "bin"));
  await symlink(join(root, "cli", "certctl"), join(directory, "bin", "certctl"));
  system = parts.use(await startSystem());
  const [demo, shop] = [await newNginx("demo"), await newNginx("shop")];
  const agent = parts.use(await system.startAgent("ag-local"));
  // The sample of `npm start`, and what the README has the reader write into agent.yaml.
  await agent.allow({ allowed_directories: [directory], targets: { demo, shop } });
  await system.declare({ agentId: "ag-local", entry: "demo", name: "demo" });
});

afterAll(() => parts.disposeAsync());

/** An nginx of its own, as agent.yaml has it. */
async function newNginx(name: string) {
  const own = join(directory, name);
  await mkdir(own);
  return nginxEntry(parts.use(await startNginx({ directory: own })));
}

/** Runs the blocks marked `sh`; what is marked `console` needs a person, or another machine. */
async function run(document: string, env: Record<string, string> = {}, cwd = root): Promise<string> {
  const text = await readFile(join(root, "docs", document), "utf8");
  const blocks = Array.from(text.matchAll(/```sh\n([\s\S]*?)```/g), ([, block = ""]) => block);
  const script = blocks
    .join("")
    .replaceAll("/var/lib/certctl", system.dataDir)
    .replaceAll("https://localhost:8443", system.url);
  const { PATH = "" } = process.env;
  const { stdout } = await execute("bash", ["--norc", "-euo", "pipefail", "-c", script], {
    cwd,
    env: { PATH: `${join(directory, "bin")}:${PATH}`, HOME: directory, ...env },
    timeout: 60_000,
  });
  return stdout;
}

describe("the commands of", () => {
  test("quick-start.md renew the sample, declare an estate from a file and prove its certificate", async () => {
    const out = await run("quick-start.md", {}, directory);
    expect(out.match(/^job-\w+ {2}Proven$/gm)).toHaveLength(2);
    expect(out).toContain("5 to create, 0 to change, 0 unchanged");
    expect(out).toMatch(/0 to create, 0 to change, 5 unchanged/);
    const { body } = await system.rest("GET", "/api/v1/certificates/mc-shop");
    expect(body).toMatchObject({
      status: "Active",
      team_id: "t-web",
      owner_id: "o-ann",
      renewal_policy_id: "rp-web",
    });
  }, 90_000);

  test("cli.md do what they say", async () => {
    const env = {
      CERTCTL_URL: system.url,
      CERTCTL_CA: join(system.dataDir, "ca.pem"),
      CERTCTL_API_KEY_FILE: join(system.dataDir, "admin.key"),
    };
    const out = await run("cli.md", env, directory);
    expect(out).toContain("Usage: certctl certificates list");
    expect(out).toContain("description: what they do");
    expect(out).toMatch(/^job-\w+ {2}Issued$/m);
  }, 90_000);

  test("api.md work by curl, and its typed client renews a certificate", async () => {
    const out = await run("api.md");
    expect(out).toContain('"description":"replaced"');
    expect(out).toContain('["Completed","Issued"]');
    expect(out).toMatch(/^api serves until \d{10}/m);
  }, 90_000);
});

describe("the documents", () => {
  test("link to files that exist", async () => {
    const documents = (await readdir(join(root, "docs"))).filter((name) => name.endsWith(".md"));
    const broken: string[] = [];
    for (const name of documents) {
      const text = await readFile(join(root, "docs", name), "utf8");
      for (const [, link = ""] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
        await readFile(join(root, "docs", link)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "EISDIR") broken.push(`${name}: ${link}`);
        });
      }
    }
    expect(broken).toEqual([]);
  });

  test("show a notifier that tells a server of ntfy, and is refused in its words", async () => {
    await using receiver = await startReceiver();
    const context = {
      signal: new AbortController().signal,
      egress: createEgress(["127.0.0.0/8", "::1/128"]),
      now: new Date("2030-06-01T12:00:00Z"),
    };
    const config = { url: receiver.url, topic: "certificates", token: "tk_secret", ca: receiver.ca };
    receiver.answer = { status: 200, body: "{}" };
    expect(await ntfy.send(notice(), config, context)).toBe("HTTP 200 OK");
    const [call] = receiver.received;
    expect(call?.headers["authorization"]).toBe("Bearer tk_secret");
    expect(JSON.parse(call?.body ?? "")).toMatchObject({
      topic: "certificates",
      title: notice().subject,
      priority: 4,
    });
    receiver.answer = { status: 403, body: "" };
    await expect(ntfy.send(notice(), config, context)).rejects.toThrow("HTTP 403 Forbidden");
  });
});
