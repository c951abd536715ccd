import { chmod, chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { temporaryDirectory } from "../../test/site.ts";
import { serverCommands } from "./server-commands.ts";

const nothing = { environment: {}, stdin: "", signal: new AbortController().signal };

async function setUp(commands: Record<string, object>) {
  const directory = await temporaryDirectory();
  const path = join(directory.path, "server.yaml");
  await writeFile(path, stringify({ commands }), { mode: 0o600 });
  return { ...directory, file: path, commands: serverCommands(path) };
}

const sh = (text: string) => ({ argv: ["/bin/sh", "-c", text] });

test("runs the whole command line that a name stands for, with what is given by input and environment", async () => {
  await using at = await setUp({
    echo: {
      argv: ["/bin/sh", "-c", 'cat; printf "%s" "$1 $CERTCTL_ACTION"; echo why >&2', "sh", "$HOME; id"],
    },
  });
  const end = await at.commands.run("echo", {
    ...nothing,
    environment: { CERTCTL_ACTION: "x" },
    stdin: "in ",
  });
  expect(end).toEqual({ code: 0, stdout: "in $HOME; id x", words: "why" });
});

test("gives a command PATH, LANG, what its owner wrote and what the caller says, and nothing else", async () => {
  await using at = await setUp({ env: { argv: ["/usr/bin/env"], environment: { CA_HOME: "/srv/ca" } } });
  const { stdout } = await at.commands.run("env", { ...nothing, environment: { CERTCTL_KEY_ID: "k" } });
  const names = stdout
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0]);
  expect(names.sort()).toEqual(["CA_HOME", "CERTCTL_KEY_ID", "LANG", "PATH"]);
});

test("hands on how a command ended, without keys in its words", async () => {
  const key = "-----BEGIN PRIVATE KEY-----\\nMIGHAgEA\\n-----END PRIVATE KEY-----";
  await using at = await setUp({ refuse: sh(`printf "no: ${key}" >&2; exit 10`) });
  expect(await at.commands.run("refuse", nothing)).toEqual({
    code: 10,
    stdout: "",
    words: "no: [private key removed]",
  });
});

test("ends a command at its own time limit, with all that it started", async () => {
  await using at = await setUp({
    slow: { ...sh("sleep 60 & echo $! >&2; wait"), timeout_seconds: 0.3 },
  });
  const slow = at.commands.run("slow", nothing);
  await expect(slow).rejects.toMatchObject({ failureClass: "Network" });
  const pid = await slow.catch((error: Error) => /within 0\.3 s: (\d+)$/.exec(error.message)?.[1]);
  for (let tries = 0; isAlive(Number(pid)) && tries < 200; tries += 1) await delay(20);
  expect(isAlive(Number(pid))).toBe(false);
});

test("ends a command that prints more than its own limit", async () => {
  await using at = await setUp({
    chatty: { ...sh("yes"), max_output_kib: 1 },
    talker: sh("head -c 20000 /dev/zero | tr '\\\\0' x"),
  });
  const chatty = at.commands.run("chatty", nothing);
  await expect(chatty).rejects.toMatchObject({
    message: "chatty printed more than 1 KiB and was ended",
    failureClass: "Internal",
  });
  expect((await at.commands.run("talker", nothing)).stdout).toHaveLength(20_000);
});

test("says of a command that was killed by what", async () => {
  await using at = await setUp({ killed: sh("kill -9 $$") });
  await expect(at.commands.run("killed", nothing)).rejects.toThrow("killed was ended by SIGKILL");
});

test("ends a command when whoever wanted it wants it no longer", async () => {
  await using at = await setUp({ slow: sh("sleep 60") });
  const stop = new AbortController();
  const running = at.commands.run("slow", { ...nothing, signal: stop.signal });
  setTimeout(() => stop.abort(new Error("the lease is lost")), 50);
  await expect(running).rejects.toThrow("the lease is lost");
});

test("lists names and descriptions, and nothing that is run", async () => {
  await using at = await setUp({ one: { ...sh("x"), description: "The corporate CA" }, two: sh("y") });
  expect(await at.commands.list()).toEqual([
    { name: "one", description: "The corporate CA" },
    { name: "two", description: "" },
  ]);
  expect(await serverCommands(join(at.path, "none.yaml")).list()).toEqual([]);
});

test("names what is there when a command is not", async () => {
  await using at = await setUp({ one: sh("x") });
  await expect(at.commands.check("constructor")).rejects.toMatchObject({
    message: `${at.file} has no command constructor; it has one`,
    failureClass: "Configuration",
  });
});

test.each<[string, object, string]>([
  ["a program of no path", { argv: ["sh"] }, "absolute path"],
  ["an empty command line", { argv: [] }, "argv"],
  ["a variable of certctl's own", { ...sh("x"), environment: { CERTCTL_ACTION: "issue" } }, "sets itself"],
  ["a field that it does not know", { ...sh("x"), shell: true }, "shell"],
])("refuses %s", async (_what, command, words) => {
  await using at = await setUp({ command });
  await expect(at.commands.list()).rejects.toThrow(words);
});

test("refuses a file that others may write, and a program that others may exchange", async () => {
  await using at = await setUp({ own: { argv: ["/bin/true"] } });
  const program = join(at.path, "program");
  await writeFile(program, "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  await writeFile(at.file, stringify({ commands: { own: { argv: [program] } } }));
  expect(await at.commands.run("own", nothing)).toMatchObject({ code: 0 });
  await chmod(program, 0o775);
  await expect(at.commands.run("own", nothing)).rejects.toThrow("can be written by others");
  await chmod(at.file, 0o620);
  await expect(at.commands.list()).rejects.toThrow("can be written by others");
});

test.runIf(process.getuid?.() === 0)("refuses a file of another user", async () => {
  await using at = await setUp({ own: { argv: ["/bin/true"] } });
  await chown(at.file, 65_534, 65_534);
  await expect(at.commands.list()).rejects.toThrow("belongs to user 65534");
});

test("tells that a program is not there", async () => {
  await using at = await setUp({ gone: { argv: ["/no/such/program"] } });
  await expect(at.commands.run("gone", nothing)).rejects.toMatchObject({ failureClass: "Configuration" });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
