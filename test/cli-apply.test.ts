import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type Cli, openCli } from "./cli.ts";
import { type System, startSystem } from "./system.ts";

let parts: AsyncDisposableStack;
let system: System;
let cli: Cli;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem());
  cli = parts.use(await openCli(system));
  await cli.json("agents", "create", "--id", "ag-one", "--name", "one");
});

afterAll(() => parts.disposeAsync());

async function apply(text: string, ...args: string[]) {
  const path = join(cli.home, "estate.yaml");
  await writeFile(path, text);
  return cli.run(["apply", "-f", path, ...args]);
}

/** The certificate comes first in the file, though it needs the rest. */
const estate = `
certificates:
  - id: mc-shop
    name: shop
    common_name: Shop.Example.test.
    sans: [b.example.test, a.example.test]
    team_id: t-web
    owner_id: o-ann
    renewal_policy_id: rp-fast
    target_ids: [tgt-shop]
    tags: { tier: gold }
---
resource: Target
id: tgt-shop
name: shop
type: files
agent_id: ag-one
config: { entry: shop }
---
- resource: team
  id: t-web
  name: web
- resource: owner
  id: o-ann
  name: Ann
  email: ann@example.test
  team_id: t-web
- resource: renewal_policies
  id: rp-fast
  name: fast
  renewal_window_days: 10
  auto_renew: false
`;

describe("apply", () => {
  test("prints its plan, creates in the order of dependencies, and finds nothing to do the second time", async () => {
    const plan = await apply(estate, "--dry-run");
    expect(plan).toMatchObject({ code: 0, err: "" });
    expect(plan.out).toContain("5 to create, 0 to change, 0 unchanged");
    expect(await cli.run(["teams", "get", "t-web"])).toMatchObject({ code: 3 });

    const first = await apply(estate, "--yes");
    expect(first).toMatchObject({ code: 0, err: "" });
    const created = Array.from(first.out.matchAll(/^created \S+ (\S+)$/gm), ([, id]) => id);
    expect(created.at(-1)).toBe("mc-shop");
    expect(created.indexOf("t-web")).toBeLessThan(created.indexOf("o-ann"));
    expect(await cli.json("certs", "get", "mc-shop")).toMatchObject({
      common_name: "shop.example.test",
      team_id: "t-web",
      target_ids: ["tgt-shop"],
      tags: { tier: "gold" },
    });
    expect(await cli.json("renewal-policies", "get", "rp-fast")).toMatchObject({
      renewal_window_days: 10,
      auto_renew: false,
    });

    const second = await apply(estate, "--yes");
    expect(second).toMatchObject({ code: 0, err: "" });
    expect(second.out).toContain("= unchanged certificates mc-shop");
    expect(second.out).toMatch(/0 to create, 0 to change, 5 unchanged\n$/);
  });

  test("changes what differs and names it, and leaves what the file does not mention", async () => {
    await apply("teams: [{ id: t-part, name: part, description: what it does }]", "-y");
    const change = await apply("teams: [{ id: t-part, name: parts }]", "-y");
    expect(change.out).toContain("~ change teams t-part\n    name: part -> parts\n");
    expect(change.out).toContain("changed teams t-part");
    expect(await cli.json("teams", "get", "t-part")).toMatchObject({
      name: "parts",
      description: "what it does",
    });
  });

  test("asks nobody where nobody is, and then changes nothing", async () => {
    const refused = await apply("teams: [{ id: t-nobody, name: nobody }]");
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("give --yes") });
    expect(refused.out).toContain("+ create teams t-nobody");
    expect(await cli.run(["teams", "get", "t-nobody"])).toMatchObject({ code: 3 });
  });

  test("names every mistake in the file before anything is changed", async () => {
    const wrong = await apply(
      stringify({
        teams: [
          { id: "t-right", name: "right" },
          { id: "t-wrong", naem: "x" },
          { id: "t-odd", name: 5 },
        ],
      }),
      "-y",
    );
    expect(wrong).toMatchObject({ code: 2, out: "" });
    expect(wrong.err).toContain("teams[1]: naem: unknown field");
    expect(wrong.err).toContain("teams[2]: name: must be a string");
    expect(await cli.run(["teams", "get", "t-right"])).toMatchObject({ code: 3 });
    expect(await apply("toasters: []", "-y")).toMatchObject({
      code: 2,
      err: expect.stringContaining("toasters"),
    });
    expect(await apply("teams: [{ name: x }]", "-y")).toMatchObject({
      code: 2,
      err: expect.stringContaining("needs an id"),
    });
    expect(await apply("teams: [}", "-y")).toMatchObject({
      code: 2,
      err: expect.stringContaining("not YAML"),
    });
    const twice = "teams: [{ id: t-a, name: a }, { id: t-a, name: b }]";
    expect(await apply(twice, "-y")).toMatchObject({ code: 2, err: expect.stringContaining("twice") });
  });

  test("refuses to change what is fixed, and what is archived", async () => {
    const target = (kind: string) =>
      `targets: [{ id: tgt-fixed, name: fixed, kind: ${kind}, agent_id: ag-one, config: { entry: fixed } }]`;
    await apply(target("files"), "-y");
    expect(await apply(target("nginx"), "-y")).toMatchObject({
      code: 5,
      err: expect.stringContaining("kind of tgt-fixed cannot be changed"),
    });
    await cli.run(["targets", "delete", "tgt-fixed"]);
    expect(await apply(target("files"), "-y")).toMatchObject({
      code: 5,
      err: expect.stringContaining("restore tgt-fixed"),
    });
  });

  test("compares no secret that the server hides, keeps it, and never sends the mask for a new one", async () => {
    const hook = (secret: string, name = "hook") =>
      `notifiers: [{ id: nf-hook, name: ${name}, kind: webhook, config: { url: "https://localhost:9/hook", secret: "${secret}" } }]`;
    const masked = await apply(hook("********"), "-y");
    expect(masked).toMatchObject({ code: 2, err: expect.stringContaining("needs the secret itself") });
    const secret = "first-secret-of-the-hook";
    expect(await apply(hook(secret), "-y")).toMatchObject({ code: 0 });
    expect((await cli.json("notifiers", "get", "nf-hook")).config.secret).toBe("********");
    expect((await apply(hook(secret), "-y")).out).toContain("= unchanged notifiers nf-hook");
    const again = await apply(hook("another-secret-of-it"), "-y", "--secrets");
    expect(again.out).toContain("changed notifiers nf-hook");
    expect(again.out + again.err).not.toContain("another-secret");
    expect(await apply(hook("********", "renamed"), "-y")).toMatchObject({ code: 0 });
    expect(await cli.json("notifiers", "get", "nf-hook")).toMatchObject({ name: "renamed" });
  });

  test("reads the file from standard input", async () => {
    const { code, out } = await cli.run(["apply", "-f", "-", "-y"], {
      input: "teams: [{ id: t-piped, name: piped }]",
    });
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("created teams t-piped") });
  });
});

test("no key stands in what the command line client is called with or prints", async () => {
  const watch = cli.start(["jobs", "tail"]);
  await watch.line("waiting");
  const argv = await readFile(`/proc/${watch.child.pid}/cmdline`, "utf8");
  expect(argv).toContain("jobs");
  expect(argv).not.toContain(system.adminKey);
  await watch.end("SIGINT");
  expect(watch.said()).not.toContain(system.adminKey);
});
