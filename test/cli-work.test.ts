import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiCommands } from "../cli/commands.ts";
import { buildProgram } from "../cli/program.ts";
import type { Terminal } from "../cli/terminal.ts";
import { type Cli, openCli } from "./cli.ts";
import { startNginx } from "./nginx.ts";
import { nginxEntry, type System, startSystem } from "./system.ts";

const execute = promisify(execFile);

/** A terminal that collects what is printed and reaches no server. */
function deaf(printed: string[]): Terminal {
  return {
    env: {},
    isLive: false,
    signal: new AbortController().signal,
    out: (text) => printed.push(String(text)),
    drained: () => Promise.resolve(),
    err: (text) => printed.push(text),
    connect: () => Promise.reject(new Error("nothing is to be sent")),
  };
}

let parts: AsyncDisposableStack;
let system: System;
let cli: Cli;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem());
  cli = parts.use(await openCli(system));
  const directory = await mkdtemp(join(tmpdir(), "certctl-nginx-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const nginx = parts.use(await startNginx({ directory }));
  const agent = parts.use(await system.startAgent("ag-web"));
  await agent.allow({ allowed_directories: [directory], targets: { site: nginxEntry(nginx) } });
  await system.declare({ agentId: "ag-web", entry: "site", name: "web" });
  await system.declare({ agentId: "ag-web", entry: "absent", name: "astray" });
});

afterAll(() => parts.disposeAsync());

describe("renew --watch", () => {
  test("shows each step up to the proof on a real nginx, and ends with 0", async () => {
    const { code, out, err } = await cli.run(["certs", "renew", "mc-web", "--watch"]);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(/^job-\w+ {2}Proven\n$/);
    const steps = err
      .trim()
      .split("\n")
      .map((line) => line.replace(/^ *\d+\.\d\d s {2}/, ""));
    expect(steps.map((line) => line.split(/ {2,}/)[0])).toEqual(
      expect.arrayContaining(["created", "key generated", "csr accepted", "issued", "proven"]),
    );
  });

  test("ends with 1 and the reason when the certificate is not proven", async () => {
    const { code, out, err } = await cli.run(["certs", "renew", "mc-astray", "-w"]);
    expect(code).toBe(1);
    expect(out).toMatch(/NotProven\n$/);
    expect(err).toMatch(/certctl: job-\w+ ended NotProven/);
    expect(err).toContain("absent");
  });

  test("is there afterwards, too: watch prints the steps of a job, get has them as a table", async () => {
    const { job_ids: ids } = await cli.json("certs", "renew", "mc-web");
    const watched = await cli.run(["jobs", "watch", ...ids]);
    expect(watched).toMatchObject({ code: 0, out: expect.stringMatching(/^job-\w+ {2}Proven\n$/) });
    expect(watched.err).toMatch(/ s {2}issued +serial /);
    const { out } = await cli.run(["jobs", "get", ...ids]);
    expect(out).toMatch(/^outcome +Proven$/m);
    expect(out).toMatch(/\n\ntimeline\n {2}AT +ATTEMPT +STEP +MESSAGE\n/);
    expect(out).toMatch(/^ {2}\S+Z +1 +csr_accepted +SHA-256 /m);
    const { out: lines } = await cli.run(["jobs", "watch", ...ids, "-o", "json"]);
    expect(JSON.parse(lines.trim().split("\n").at(-1) ?? "")).toMatchObject({
      id: ids[0],
      outcome: "Proven",
    });
  });

  test("goes on where it was when the control plane was away", async () => {
    await cli.json("agents", "create", "--id", "ag-late", "--name", "late");
    const late = [
      "--id",
      "mc-late",
      "--name",
      "late",
      "--common-name",
      "late.example.test",
      "--agent-id",
      "ag-late",
    ];
    await cli.json("certs", "create", ...late);
    const watch = cli.start(["certs", "renew", "mc-late", "--watch"]);
    await watch.says("awaiting csr");
    await system.server().end("SIGKILL");
    await system.restartServer();
    await using _agent = await system.startAgent("ag-late");
    expect(await watch.exited, watch.said()).toBe(0);
    expect(watch.said("stdout")).toMatch(/^job-\w+ {2}Issued$/);
    expect(watch.said("stderr").match(/awaiting csr/g)).toHaveLength(1);
  });

  test("without --watch it answers at once with the job", async () => {
    expect(await cli.json("certs", "renew", "mc-web")).toMatchObject({
      status: "accepted",
      job_id: expect.stringMatching(/^job-/),
    });
  });
});

test("whoever stops watching is told that the work goes on, and how to watch again", async () => {
  await cli.json("agents", "create", "--id", "ag-absent", "--name", "absent");
  const waiting = ["--common-name", "waiting.example.test", "--agent-id", "ag-absent"];
  await cli.run(["certs", "create", "--id", "mc-waiting", "--name", "waiting", ...waiting]);
  const watching = cli.start(["certs", "renew", "mc-waiting", "--watch"]);
  await watching.says("awaiting csr");
  expect(await watching.end("SIGINT")).toBe(1);
  const [, id = ""] = /the work goes on: certctl jobs watch (job-\w+)/.exec(watching.said()) ?? [];
  expect(await cli.json("jobs", "cancel", id)).toMatchObject({ status: "Cancelled" });
  const retried = cli.start(["jobs", "retry", id, "--watch"]);
  await retried.says("retried");
  await retried.end("SIGINT");
});

test("a conflict is told in the server's words, with its details and 5", async () => {
  const { code, err } = await cli.run(["agents", "retire", "ag-web"]);
  expect(code).toBe(5);
  expect(err).toMatch(
    /^certctl: agent ag-web is in use by .*; move them, or retire it with force\n {2}targets: 2\n/,
  );
});

test("a table has the parts of a structure that are set, and a dash for one without any", async () => {
  const tagged = ["--common-name", "tagged.example.test", "--agent-id", "ag-web", "--tags", "tier=gold"];
  const { out } = await cli.run(["certs", "create", "--name", "tagged", ...tagged]);
  expect(out).toMatch(/^tags +tier: gold$/m);
  await cli.run(["certs", "renew", "mc-astray", "--watch"]);
  const { data: jobs } = await cli.json("jobs", "list", "--certificate-id", "mc-astray");
  const deployment = jobs.find(({ type }: { type: string }) => type === "Deployment");
  const { out: job } = await cli.run(["jobs", "get", deployment.id]);
  expect(job).toMatch(/^error +step: \w+, message: .*absent.*, failure_class: \w+$/m);
  expect((await cli.run(["certs", "get", "mc-web"])).out).toMatch(/^tags +-$/m);
  const { out: policy } = await cli.run(["renewal-policies", "get", "rp-default"]);
  expect(policy).toMatch(/^alert_thresholds_days +30, 14, 7, 0$/m);
});

test("jobs tail prints steps as they are taken, of one certificate where asked, and ends with Ctrl-C", async () => {
  await system.declare({ agentId: "ag-web", entry: "absent", name: "tailed" });
  const all = cli.start(["jobs", "tail"]);
  const tail = cli.start(["jobs", "tail", "--certificate-id", "mc-tailed"]);
  await Promise.all([all.line("waiting"), tail.line("waiting")]);
  await cli.run(["certs", "renew", "mc-web"]);
  await all.says("of mc-web  proven");
  await cli.run(["certs", "renew", "mc-tailed"]);
  const line = await tail.says("csr accepted");
  expect(line).toMatch(/^\d{4}-\S+Z {2}job-\w+ {2}issuance of mc-tailed {2}csr accepted/);
  await all.says("issuance of mc-tailed  csr accepted");
  expect(tail.said()).not.toContain("mc-web");
  expect(await tail.end("SIGINT")).toBe(0);
  await all.end("SIGINT");
});

test("audit export streams every event that matches to standard output, as JSON or as CSV", async () => {
  const filter = ["audit", "export", "--resource-id", "mc-web", "--action", "certificate_created"];
  const { out: lines } = await cli.run(filter);
  const events = lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events).toMatchObject([{ action: "certificate_created", resource_id: "mc-web" }]);
  const { out: csv } = await cli.run([...filter, "-o", "csv"]);
  const [head, row, ...more] = csv.trim().split("\r\n");
  expect(head?.split(",")).toEqual(Object.keys(events[0]));
  expect(row).toContain(events[0].id);
  expect(more).toEqual([]);
});

describe("every list", () => {
  const lists = apiCommands().filter(({ verb }) => verb === "list");

  test.each(lists.map(({ resource }) => resource))(
    "%s is printed, and each of its resources is read",
    async (resource) => {
      const { data } = await cli.json(resource, "list");
      expect(Array.isArray(data)).toBe(true);
      const { code, out } = await cli.run([resource, "list"]);
      expect(code).toBe(0);
      expect(out.split("\n")[0]).toBe(data.length === 0 ? "none" : out.split("\n")[0]?.toUpperCase());
      const [first] = data;
      const isRead = apiCommands().some((command) => command.resource === resource && command.verb === "get");
      if (first && isRead) expect(await cli.json(resource, "get", first.id)).toMatchObject({ id: first.id });
    },
  );

  test("has all of its pages with --all, and says what a page leaves out", async () => {
    for (const name of ["x1", "x2", "x3"])
      await cli.json("teams", "create", "--id", `t-${name}`, "--name", name);
    const { data, total } = await cli.json("teams", "list", "--all", "--per-page", "2");
    expect(data.map(({ id }: { id: string }) => id).sort()).toEqual(["t-x1", "t-x2", "t-x3"]);
    expect(total).toBe(3);
    const { err } = await cli.run(["teams", "list", "--per-page", "2"]);
    expect(err).toBe("2 of 3; --all lists all, --page N the others\n");
  });
});

describe("completion", () => {
  /** What real bash offers for the words of a line, the last of which is being typed. */
  async function offers(...words: string[]): Promise<string[]> {
    const { out: script } = await cli.run(["completion", "bash"]);
    const path = join(cli.home, "completion.bash");
    await writeFile(
      path,
      `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _certctl; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
    const { stdout } = await execute("bash", ["-euo", "pipefail", path, "certctl", ...words]);
    return stdout.trim().split("\n");
  }

  test("offers nouns, verbs, flags and the words of a flag", async () => {
    expect(await offers("cert")).toEqual(["certificates", "certs"]);
    expect(await offers("certs", "ren")).toEqual(["renew"]);
    expect(await offers("certs", "renew", "mc-web", "--w")).toEqual(["--watch"]);
    expect(await offers("certs", "list", "--status", "Ex")).toEqual(["Expiring", "Expired"]);
    expect(await offers("login", "--ca-")).toEqual(["--ca-pin"]);
  });

  test("is there for zsh and fish, too, and for nothing else", async () => {
    const zsh = await cli.run(["completion", "zsh"]);
    expect(zsh.out).toContain("bashcompinit");
    const fish = await cli.run(["completion", "fish"]);
    expect(fish.out).toMatch(
      /__fish_seen_subcommand_from certificates certs.* -l status -x -a 'Pending Active/,
    );
    expect(await cli.run(["completion", "tcsh"])).toMatchObject({ code: 2 });
  });
});

test("a resource is described by its service, one beside it by what its list does", () => {
  const program = buildProgram(deaf([]));
  const about = (name: string) => program.commands.find((command) => command.name() === name)?.description();
  expect(about("policies")).toContain("Manages what certificates have to be");
  expect(about("target-kinds")).toContain("kinds of target");
  expect(about("notifier-kinds")).toContain("Lists the kinds of notifier");
});

test("every command's help has an example that certctl takes, and tells nothing to the server", async () => {
  for (const { resource, verb } of apiCommands()) {
    const printed: string[] = [];
    const program = buildProgram(deaf(printed));
    await expect(program.parseAsync([resource, verb, "--help"], { from: "user" })).rejects.toMatchObject({
      code: "commander.helpDisplayed",
    });
    const [, example = ""] = /Example:\n {2}certctl (.*)/.exec(printed.join("")) ?? [];
    const words = example.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", "")) ?? [];
    const tried = buildProgram(deaf([])).parseAsync(words, { from: "user" });
    await expect(tried, example).rejects.toThrow("nothing is to be sent");
  }
});

test("a flag that the request says nothing of is described by the resource, a structure by its parts", async () => {
  const help = async (...words: string[]) => {
    const printed: string[] = [];
    const program = buildProgram(deaf(printed));
    await program.parseAsync([...words, "--help"], { from: "user" }).catch(() => undefined);
    return printed.join("").replaceAll(/\s+/g, " ");
  };
  expect(await help("notifiers", "update")).toContain("The e-mail address for what neither");
  expect(await help("operations", "dry-run")).toContain(
    "--filter <json|@file> filter: status, q, environment",
  );
});
