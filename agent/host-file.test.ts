import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../test/site.ts";
import { loadHostFile } from "./host-file.ts";

const good = `
allowed_directories: [/etc/nginx/certctl]
targets:
  site:
    kind: nginx
    directory: /etc/nginx/certctl/site
    test: [nginx, -t]
    reload: [nginx, -s, reload]
    endpoint: 127.0.0.1:443
  mail:
    kind: files
    directory: /etc/nginx/certctl/mail
    key: tls.key
    endpoint: "[::1]:993"
    owner: 105
`;

async function load(text: string, mode = 0o644) {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "agent.yaml");
  await writeFile(path, text);
  await chmod(path, mode);
  return await loadHostFile(path);
}

test("reads targets of every kind and fills in the defaults", async () => {
  const host = await load(good);
  expect(host.allowedDirectories).toEqual(["/etc/nginx/certctl"]);
  expect(host.targets.get("site")).toEqual({
    kind: "nginx",
    directory: "/etc/nginx/certctl/site",
    certificate: "fullchain.pem",
    key: "privkey.pem",
    test: ["nginx", "-t"],
    reload: ["nginx", "-s", "reload"],
    endpoint: "127.0.0.1:443",
    protocol: "tls",
    prove_within_seconds: 30,
    command_timeout_seconds: 30,
  });
  expect(host.targets.get("mail")).toMatchObject({ kind: "files", key: "tls.key", owner: 105 });
});

test("takes a missing or empty file for one without targets", async () => {
  expect(await loadHostFile("/no/such/agent.yaml")).toEqual({
    allowedDirectories: [],
    targets: new Map(),
    acme: { webroots: [] },
  });
  expect((await load("# nothing yet\n")).targets.size).toBe(0);
});

test("reports every problem at once with its path", async () => {
  const text = `
allowed_directories: [etc]
extra: 1
targets:
  site: { kind: nginx, directory: /a/../b, reload: nginx -s reload, endpoint: nowhere, color: red }
  "../x": { kind: files, directory: /c, endpoint: "a:1" }
  lb: { kind: f5 }
  two: { kind: files, directory: /c, endpoint: "a:1", key: a.pem, certificate: ../a.pem, test: [] }
`;
  const error = await load(text).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ step: "host_file", retryable: false });
  const lines = String(error).split("\n");
  for (const start of [
    "allowed_directories.0: has to be an absolute path",
    'the file: Unrecognized key: "extra"',
    "targets.site.directory: has to be an absolute path",
    "targets.site.test: ",
    "targets.site.reload: ",
    "targets.site.endpoint: has to be host:port",
    'targets.site: Unrecognized key: "color"',
    "targets.../x: ",
    "targets.lb.kind: has to be one of nginx, apache, haproxy,",
    "targets.two.certificate: has to be a plain file name",
    "targets.two.test.0: ",
  ]) {
    expect(lines.filter((line) => line.startsWith(start))).not.toHaveLength(0);
  }
});

test.each([
  ["a relative program", "    test: [./check]\n", /test.0: has to be an absolute path or/],
  ["the mark's name for a file", "    certificate: proven\n", /a name that certctl uses itself/],
  ["one file for both", "    certificate: a.pem\n    key: a.pem\n", /another file than the certificate/],
  ["a key twice", "    key: a.pem\n    key: b.pem\n", /unique/],
])("refuses %s", async (_what, lines, message) => {
  const text = `targets:\n  a:\n    kind: files\n    directory: /a\n    endpoint: a:1\n${lines}`;
  await expect(load(text)).rejects.toThrow(message);
});

test("refuses two targets in one directory", async () => {
  const text = good.replace("certctl/mail", "certctl/site");
  await expect(load(text)).rejects.toThrow("targets.mail.directory: is the directory of site, too");
});

test.each([0o666, 0o664])("refuses a file that others can write (mode %o)", async (mode) => {
  await expect(load(good, mode)).rejects.toMatchObject({
    step: "host_file",
    message: expect.stringContaining("can be written by others"),
  });
});
