import { readFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import { z } from "zod";
import { absolutePath, entryName } from "../src/targets/file-schema.ts";
import { targetByKind } from "../src/targets/registry.ts";
import { DeployError, type HostEntry, type HostFile } from "../src/targets/target.ts";
import { trustedFile } from "../src/targets/trusted-path.ts";

const kinds = [...targetByKind.keys()].join(", ");

/** One target of the host; its kind's own schema reads the rest of it. */
const hostEntry = z.looseObject({ kind: z.string() }).transform((value, ctx): HostEntry => {
  const target = targetByKind.get(value.kind);
  if (!target) {
    ctx.addIssue({ code: "custom", path: ["kind"], message: `has to be one of ${kinds}` });
    return z.NEVER;
  }
  const parsed = target.host.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) ctx.addIssue({ code: "custom", path, message });
  return z.NEVER;
});

/** agent.yaml: what the host's owner lets certctl do here. */
export const hostFileSchema = z
  .strictObject({
    /** Everything that is written lies inside one of these; nobody else may be able to write to them. */
    allowed_directories: z.array(absolutePath).default([]),
    /** By the name that a target's configuration gives. */
    targets: z.record(entryName, hostEntry).default({}).superRefine(refuseSharedDirectories),
  })
  .transform(({ allowed_directories, targets }) => ({
    allowedDirectories: allowed_directories,
    targets: new Map(Object.entries(targets)),
  }));

/** Reads agent.yaml. No file means no targets. Throws DeployError, step host_file, naming every problem. */
export async function loadHostFile(path: string): Promise<HostFile> {
  const text = await readTrusted(path);
  if (text === null) return { allowedDirectories: [], targets: new Map() };
  const document = parseDocument(text);
  if (document.errors.length > 0)
    refuse(
      path,
      document.errors.map(({ message }) => message),
    );
  const parsed = hostFileSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  return refuse(
    path,
    parsed.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`),
  );
}

async function readTrusted(path: string): Promise<string | null> {
  try {
    return await readFile(await trustedFile(path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    return refuse(path, [error instanceof Error ? error.message : String(error)]);
  }
}

/** Two targets in one directory would each remove what the other keeps. */
function refuseSharedDirectories(targets: Record<string, HostEntry>, ctx: z.RefinementCtx): void {
  const owners = new Map<unknown, string>();
  for (const [name, entry] of Object.entries(targets)) {
    const directory = "directory" in entry ? entry.directory : null;
    const owner = owners.get(directory);
    if (directory !== null && owner !== undefined)
      ctx.addIssue({
        code: "custom",
        path: [name, "directory"],
        message: `is the directory of ${owner}, too`,
      });
    owners.set(directory, name);
  }
}

function refuse(path: string, problems: readonly string[]): never {
  throw new DeployError("host_file", `${path} is refused:\n${problems.join("\n")}`);
}
