import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Cli, openCli } from "./cli.ts";
import { freePort } from "./free-port.ts";
import { type System, startSystem } from "./system.ts";

let parts: AsyncDisposableStack;
let system: System;
let cli: Cli;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem());
  cli = parts.use(await openCli(system));
});

afterAll(() => parts.disposeAsync());

/** A resource that has what is needed to create one. */
const create = (name: string) =>
  cli.json("certs", "create", "--id", `mc-${name}`, "--name", name, "--common-name", `${name}.example.test`);

describe("a command", () => {
  test("creates, reads, changes and deletes a resource; an update leaves what it does not name", async () => {
    const sans = ["--sans", "a.example.test", "--sans", "10.0.0.7"];
    const made = await cli.json(
      "certs",
      "create",
      "--id",
      "mc-crud",
      "--name",
      "crud",
      "--common-name",
      "a.example.test",
      ...sans,
    );
    expect(made).toMatchObject({ id: "mc-crud", sans: ["a.example.test", "10.0.0.7"], status: "Pending" });
    const changed = await cli.json("certificates", "update", "mc-crud", "--key-algorithm", "rsa-3072");
    expect(changed).toMatchObject({
      name: "crud",
      key_algorithm: "RSA-3072",
      sans: ["a.example.test", "10.0.0.7"],
    });
    expect(await cli.json("certs", "get", "mc-crud")).toEqual(changed);
    expect(await cli.run(["certs", "delete", "mc-crud"])).toEqual({
      code: 0,
      out: "mc-crud is gone from the lists; restore brings it back\n",
      err: "",
    });
    expect((await cli.json("certs", "get", "mc-crud")).archived_at).not.toBeNull();
    const key = await cli.json("api-keys", "create", "--name", "gone", "--role", "viewer");
    expect((await cli.run(["api-keys", "delete", key.id])).out).toBe(`${key.id} is deleted\n`);
  });

  test("takes a structure as JSON, from a file and from standard input", async () => {
    await cli.json("agents", "create", "--id", "ag-struct", "--name", "struct");
    const target = ["targets", "create", "--kind", "files", "--agent-id", "ag-struct"];
    const inline = await cli.json(...target, "--name", "s1", "--config", '{"entry": "one"}');
    expect(inline.config).toEqual({ entry: "one" });
    const piped = await cli.run([...target, "--name", "s2", "--config", "@-", "-o", "json"], {
      input: "entry: two\n",
    });
    expect(JSON.parse(piped.out).config).toEqual({ entry: "two" });
    const broken = await cli.run([...target, "--name", "s3", "--config", "@/nowhere.yaml"]);
    expect(broken).toMatchObject({ code: 2, err: expect.stringContaining("/nowhere.yaml") });
  });

  test("prints a table, YAML or exactly REST's JSON", async () => {
    await create("print");
    const { out: table } = await cli.run(["certs", "list"]);
    expect(table).toMatch(/^ID +NAME +COMMON NAME +STATUS/);
    expect(table).toMatch(/^mc-print +print +print\.example\.test +Pending/m);
    const { out: yaml } = await cli.run(["certs", "get", "mc-print", "-o", "yaml"]);
    const { body } = await system.rest("GET", "/api/v1/certificates/mc-print");
    expect(parse(yaml)).toEqual(body);
    expect(await cli.json("certs", "get", "mc-print")).toEqual(body);
  });

  test("filters and pages a list", async () => {
    for (const name of ["page1", "page2", "page3"]) await create(name);
    expect(await cli.json("certs", "list", "--status", "Active")).toMatchObject({ data: [], total: 0 });
    const page = await cli.json("certs", "list", "--per-page", "2", "--page", "1", "--status", "pending");
    expect(page.data).toHaveLength(2);
    expect(page.total).toBeGreaterThan(2);
  });
});

describe("a failure", () => {
  test("names each offending field and the request, and ends with the code of its kind", async () => {
    const wrong = await cli.run([
      "certs",
      "create",
      "--id",
      "certificate-1",
      "--name",
      "x",
      "--common-name",
      "x.example.test",
    ]);
    expect(wrong).toMatchObject({ code: 2, out: "" });
    expect(wrong.err).toMatch(/^ {2}id: .*pattern/m);
    expect(wrong.err).toMatch(/^ {2}request id: [0-9a-f-]{36}$/m);
    expect(await cli.run(["certs", "list", "--status", "Sleepy"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("Allowed choices are Pending, Active"),
    });
    expect(await cli.run(["certs", "lst"])).toMatchObject({ code: 2, err: expect.stringContaining("list") });
    expect(await cli.run(["certs", "get", "mc-nothing"])).toMatchObject({
      code: 3,
      err: expect.stringContaining("certificate mc-nothing does not exist"),
    });
    const key = { CERTCTL_API_KEY_FILE: "", CERTCTL_API_KEY: `${system.adminKey.slice(0, -2)}zz` };
    expect(await cli.run(["certs", "list"], { env: key })).toMatchObject({ code: 4 });
    await create("twice");
    expect(
      await cli.run([
        "certs",
        "create",
        "--id",
        "mc-twice",
        "--name",
        "t2",
        "--common-name",
        "t2.example.test",
      ]),
    ).toMatchObject({ code: 5, err: expect.stringContaining("mc-twice") });
    const nobody = { CERTCTL_URL: `https://localhost:${await freePort()}` };
    expect(await cli.run(["certs", "list"], { env: nobody })).toMatchObject({
      code: 6,
      err: expect.stringContaining("cannot be reached"),
    });
    expect(await cli.run(["certs", "list"], { env: { CERTCTL_CA: "" } })).toMatchObject({
      code: 6,
      err: expect.stringContaining("not trusted"),
    });
  });
});

describe("login", () => {
  const empty = { CERTCTL_URL: "", CERTCTL_API_KEY_FILE: "", CERTCTL_CA: "" };

  test("keeps URL, CA and key for its owner alone; the key comes by standard input and is never shown", async () => {
    const login = await cli.run(["login", system.url, "--ca", join(system.dataDir, "ca.pem")], {
      input: `${system.adminKey}\n`,
      env: empty,
    });
    expect(login).toMatchObject({ code: 0, out: "" });
    expect(login.err).not.toContain(system.adminKey);
    const path = join(cli.home, ".config", "certctl", "login.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({
      url: system.url,
      api_key: system.adminKey,
    });
    expect(await cli.run(["certs", "list"], { env: empty })).toMatchObject({ code: 0 });
    const elsewhere = await cli.run(["certs", "list"], {
      env: { ...empty, CERTCTL_URL: "https://localhost:1" },
    });
    expect(elsewhere).toMatchObject({
      code: 2,
      err: expect.stringContaining("no key for https://localhost:1"),
    });
  });

  test("finds the CA by its pin, and sends nothing to a server that has another", async () => {
    const { ca_pin: pin } = await cli.json("agents", "create", "--id", "ag-pin", "--name", "pin");
    const home = { ...empty, HOME: join(cli.home, "pinned") };
    const byPin = (text: string) =>
      cli.run(["login", system.url, "--ca-pin", text], { input: system.adminKey, env: home });
    expect(await byPin(pin)).toMatchObject({ code: 0 });
    expect(await cli.run(["certs", "list"], { env: home })).toMatchObject({ code: 0 });
    expect(await byPin(pin.replace(/.$/, (last: string) => (last === "0" ? "1" : "0")))).toMatchObject({
      code: 1,
      err: expect.stringContaining("nothing was sent to it"),
    });
  });

  test("refuses a key that the server does not know, and keeps nothing", async () => {
    const home = { ...empty, HOME: join(cli.home, "refused") };
    const login = ["login", system.url, "--ca", join(system.dataDir, "ca.pem")];
    expect(await cli.run(login, { input: "ak-nobody_x", env: home })).toMatchObject({ code: 4 });
    expect(await cli.run(["certs", "list"], { env: home })).toMatchObject({
      code: 2,
      err: expect.stringContaining("run certctl login"),
    });
  });
});
