import { readFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import { z } from "zod";
import { trustedFile } from "../src/platform/trusted-path.ts";
import { absolutePath, entryName } from "../src/targets/file-schema.ts";
import { endpointPattern } from "../src/targets/probe.ts";
import { targetByKind } from "../src/targets/registry.ts";
import { DeployError, type HostEntry, type HostFile } from "../src/targets/target.ts";

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

const listenAddress = z
  .string()
  .refine((text) => endpointPattern.test(text) && URL.canParse(`tcp://${text}`), "has to be host:port");

/** How CAs may be shown that names lead to this host. */
const challengePlaces = z.strictObject({
  /** Directories that a web server serves at / of these names, or of every name. */
  webroots: z
    .array(z.strictObject({ directory: absolutePath, names: z.array(z.string().min(1)).optional() }))
    .default([]),
  /** Where the agent itself answers http-01 while a challenge is open: port 80, or what leads there. */
  http_listen: listenAddress.optional(),
  /** The same for tls-alpn-01: port 443, or what hands acme-tls/1 on. */
  tls_alpn_listen: listenAddress.optional(),
});
export type ChallengePlaces = z.infer<typeof challengePlaces>;

/** agent.yaml: what the host's owner lets certctl do here. */
export const hostFileSchema = z
  .strictObject({
    /** Everything that is written lies inside one of these; nobody else may be able to write to them. */
    allowed_directories: z.array(absolutePath).default([]),
    /** By the name that a target's configuration gives. */
    targets: z.record(entryName, hostEntry).default({}).superRefine(refuseSharedDirectories),
    acme: challengePlaces.default({ webroots: [] }),
  })
  .transform(({ allowed_directories, targets, acme }) => ({
    allowedDirectories: allowed_directories,
    targets: new Map(Object.entries(targets)),
    acme,
  }));

/** What agent.yaml says. */
export interface OwnHostFile extends HostFile {
  acme: ChallengePlaces;
}

/** Reads agent.yaml. No file means no targets. Throws DeployError, step host_file, naming every problem. */
export async function loadHostFile(path: string): Promise<OwnHostFile> {
  const text = await readTrusted(path);
  if (text === null) return { allowedDirectories: [], targets: new Map(), acme: { webroots: [] } };
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
