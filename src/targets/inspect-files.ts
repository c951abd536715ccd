import { access, constants } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { freeText } from "../platform/free-text.ts";
import { minimalEnvironment } from "../platform/program.ts";
import { servedNow, words } from "./file-plan.ts";
import type { FileConfig, FileEntry } from "./file-schema.ts";
import type { Check, Inspection, TargetContext } from "./target.ts";
import type { Site } from "./versions.ts";

/** Looks at everything that a deployment of files needs, in the order in which it needs it. */
export async function inspectFiles<Entry extends FileEntry>(target: {
  config: FileConfig;
  ctx: TargetContext;
  findEntry(): Entry;
  openSite(entry: Entry): Promise<Site>;
  nameOn(site: Site): Promise<string | null>;
}): Promise<Inspection> {
  const { config, ctx } = target;
  const checks: Check[] = [];
  const check = async <T>(
    name: string,
    look: () => Promise<[T, string]> | [T, string],
  ): Promise<T | null> => {
    try {
      const [found, message] = await look();
      checks.push({ name, ok: true, message: freeText(message) });
      return found;
    } catch (error) {
      checks.push({ name, ok: false, message: freeText(words(error)) });
      return null;
    }
  };
  const entry = await check("entry", () => {
    const found = target.findEntry();
    return [found, `agent.yaml has "${config.entry}", of the kind ${found.kind}`];
  });
  if (!entry) return { checks, served: null };
  const site = await check("directory", async () => {
    const opened = await target.openSite(entry);
    await access(opened.directory, constants.W_OK);
    return [opened, `${opened.directory} is allowed and can be written`];
  });
  for (const name of ["test", "reload", "start"] as const) {
    const program = entry[name]?.[0];
    if (program) await check(name, async () => [program, `${await findProgram(program)} can be run`]);
  }
  const name = site ? await target.nameOn(site) : null;
  const served = await servedNow({ ...entry, name }, ctx.signal);
  const says = served
    ? `${entry.endpoint} serves SHA-256 ${served}`
    : `nothing is served at ${entry.endpoint}`;
  checks.push({ name: "endpoint", ok: served !== null, message: says });
  return { checks, served };
}

/** Where the agent would find a program. */
async function findProgram(program: string): Promise<string> {
  const places = isAbsolute(program)
    ? [program]
    : minimalEnvironment.PATH.split(":").map((directory) => join(directory, program));
  for (const place of places) {
    const isThere = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  throw new Error(
    `${program} cannot be run: there is no such program in ${isAbsolute(program) ? program : minimalEnvironment.PATH}`,
  );
}
