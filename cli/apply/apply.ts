import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { requestOf, writable } from "../api-verbs.ts";
import type { ApiCommand } from "../commands.ts";
import type { Connection } from "../connection.ts";
import { CommandFailure, exitCodes } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { type Item, readItems } from "./documents.ts";
import { inDependencyOrder } from "./order.ts";
import { describePlan, planStep, type Step } from "./plan.ts";
import { type Appliable, appliables, resourceNames } from "./resources.ts";

interface Options {
  file: string;
  dryRun?: true;
  yes?: true;
  secrets?: true;
}

export function addApply(program: Command, commands: readonly ApiCommand[], terminal: Terminal): void {
  const resources = appliables(commands);
  program
    .command("apply")
    .description("Creates what a file declares and changes what differs; prints the plan first")
    .requiredOption("-f, --file <path>", "YAML or JSON; - is standard input")
    .option("--dry-run", "print the plan and change nothing")
    .option("-y, --yes", "do not ask")
    .option("--secrets", "send secrets that the server masks, though they may be the same")
    .addHelpText(
      "after",
      `
A file holds lists by resource, in any number of documents; each resource has its id, and what is left out stays as it is:

  teams:
    - { id: t-web, name: web }
  certificates:
    - { id: mc-shop, name: shop, common_name: shop.example.com, team_id: t-web }

Resources: ${[...resources.keys()].join(", ")}

Examples:
  certctl apply -f estate.yaml --dry-run
  certctl apply -f estate.yaml --yes`,
    )
    .action(async (options: Options) => {
      const items = readItems(await contents(options.file), resourceNames(resources.keys()));
      using connection = await terminal.connect();
      const steps = await plan(connection, resources, items, options);
      terminal.out(describePlan(steps));
      const open = steps.filter(({ kind }) => kind !== "unchanged");
      if (options.dryRun || open.length === 0) return;
      if (!options.yes) await agree(options.file);
      for (const step of open) {
        await perform(connection, appliableOf(resources, step.item.resource), step);
        terminal.out(
          `${step.kind === "create" ? "created" : "changed"} ${step.item.resource} ${step.item.id}\n`,
        );
      }
    });
}

/** Compares everything before anything is changed. Throws all that is wrong with the file at once. */
async function plan(
  connection: Connection,
  resources: ReadonlyMap<string, Appliable>,
  items: readonly Item[],
  { secrets }: Options,
): Promise<Step[]> {
  const steps: Step[] = [];
  const failures: CommandFailure[] = [];
  for (const item of inDependencyOrder(items)) {
    const appliable = appliableOf(resources, item.resource);
    try {
      steps.push(await planStep(connection, appliable, item, { isSecretCompared: secrets === true }));
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      failures.push(error);
    }
  }
  const [first] = failures;
  if (first) throw new CommandFailure(failures.map(({ message }) => message).join("\n"), first.exitCode);
  return steps;
}

function appliableOf(resources: ReadonlyMap<string, Appliable>, resource: string): Appliable {
  const found = resources.get(resource);
  if (!found) throw new Error(`${resource} cannot be applied`);
  return found;
}

async function perform(connection: Connection, { create, update }: Appliable, step: Step): Promise<void> {
  if (step.kind === "create") await connection.unary(create.method, requestOf(create, step.wanted));
  if (step.kind !== "update") return;
  const changed = writable(update, { ...step.current, ...step.wanted });
  await connection.unary(update.method, requestOf(update, { ...changed, id: step.item.id }));
}

async function contents(path: string): Promise<string> {
  try {
    return path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  } catch (error) {
    throw new CommandFailure(`the file: ${(error as Error).message}`, exitCodes.usage);
  }
}

/** Asks a person. Where nobody can be asked, nothing is changed. */
async function agree(file: string): Promise<void> {
  if (!process.stdin.isTTY || file === "-")
    throw new CommandFailure(
      "nothing is changed: nobody can be asked; give --yes, or --dry-run to look",
      exitCodes.usage,
    );
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question("Apply? [y/N] ");
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure("nothing is changed");
  } finally {
    lines.close();
  }
}
