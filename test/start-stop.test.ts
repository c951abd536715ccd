import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { type Machine, newMachine, typeCtrlC } from "./npm-start.ts";
import { leftOf, processesOf } from "./processes-of.ts";

/** A shell that becomes the program it is to run, so that npm ends with the program's own exit code. */
const withExitCode = { npm_config_script_shell: "/bin/bash" };

describe("Ctrl-C", () => {
  test.each([
    { when: "while it starts", line: "certctl starts" },
    { when: "when the API is ready", line: "ready https://" },
    { when: "when everything runs", line: "  stop " },
  ])("ends npm start cleanly $when", async ({ line }) => {
    await using machine = await newMachine();
    const npm = machine.npmStart(withExitCode);
    await npm.line(line);
    typeCtrlC(npm);
    expect(await npm.exited).toBe(0);
    expect(await leftOf(machine.dataDir)).toEqual([]);
    expect(npm.said("stderr")).not.toContain("certctl:");
  });

  test("ends it as well when the shell between npm and node stays", async () => {
    await using machine = await newMachine();
    const npm = machine.npmStart({ npm_config_script_shell: "/bin/sh" });
    await npm.line("  stop ");
    typeCtrlC(npm);
    await once(npm.child, "close");
    expect(npm.said("stdout")).toMatch(/certctl stops$/);
    expect(await leftOf(machine.dataDir)).toEqual([]);
  });
});

test("a SIGTERM for npm alone ends everything, although its shell does not pass it on", async () => {
  await using machine = await newMachine();
  const npm = machine.npmStart({ npm_config_script_shell: "/bin/sh" });
  await npm.line("  stop ");
  npm.child.kill("SIGTERM");
  await once(npm.child, "close");
  expect(npm.said("stdout")).toMatch(/certctl stops$/);
  expect(await leftOf(machine.dataDir)).toEqual([]);
});

test("after a kill -9 the agent ends by itself, and the next start adopts the database", async () => {
  await using machine = await newMachine();
  const npm = machine.npmStart();
  const proven = await npm.line("proven ");
  const postgres = await only(machine, /bin\/postgres -D /);
  process.kill(await only(machine, /^node .*src\/start\.ts$/), "SIGKILL");
  await once(npm.child, "close");
  expect(await processesOf(machine.dataDir)).toMatchObject([{ pid: postgres }]);

  const second = machine.npmStart(withExitCode);
  expect(await second.line("proven ")).toBe(proven);
  expect(await only(machine, /bin\/postgres -D /)).toBe(postgres);
  typeCtrlC(second);
  expect(await second.exited).toBe(0);
  expect(await leftOf(machine.dataDir)).toEqual([]);
});

/** The one process of the machine with such a command line. */
async function only({ dataDir }: Machine, command: RegExp): Promise<number> {
  const found = (await processesOf(dataDir)).filter((live) => command.test(live.command));
  const [first, second] = found;
  if (!first || second) throw new Error(`not exactly one ${command}: ${JSON.stringify(found)}`);
  return first.pid;
}
