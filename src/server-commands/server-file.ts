import { readFile } from "node:fs/promises";
import { isAbsolute, normalize } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { IssuerError } from "../issuers/issuer.ts";
import type { Argv } from "../platform/program.ts";
import { trustedFile } from "../platform/trusted-path.ts";

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "has to be letters, digits, - and _, at most 64");
const argument = z.string().refine((text) => !text.includes("\0"), "has a NUL in it");
const program = argument.refine(
  (path) => isAbsolute(path) && normalize(path) === path,
  "has to begin with the program's absolute path, without . or ..",
);
const variable = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, "has to be capital letters, digits and _")
  .refine((text) => !text.startsWith("CERTCTL_"), "is a variable that certctl sets itself");

const command = z
  .strictObject({
    /** The program and its arguments, each an item of its own; no shell reads them. */
    argv: z.tuple([program], argument),
    description: z.string().max(200).default(""),
    environment: z.record(variable, argument).default({}),
    timeout_seconds: z.number().positive().max(600).default(60),
    max_output_kib: z.int().min(1).max(1_024).default(64),
  })
  .transform(({ argv, description, environment, timeout_seconds, max_output_kib }) => ({
    argv: argv as Argv,
    description,
    environment,
    timeoutMs: timeout_seconds * 1_000,
    maxLength: max_output_kib * 1_024,
  }));

/** A command as the server's owner wrote it down. */
export type ServerCommand = z.infer<typeof command>;

const serverFile = z.strictObject({ commands: z.record(name, command).default({}) });

/**
 * Reads server.yaml: what connectors may have run on the control plane's own host. No file means no command. Nobody but root and
 * the user that certctl runs as may be able to change it. Throws IssuerError, step server_file, naming every problem.
 */
export async function loadServerFile(path: string): Promise<Map<string, ServerCommand>> {
  const text = await readTrusted(path);
  if (text === null) return new Map();
  const document = parseDocument(text);
  const wrong = document.errors.map(({ message }) => message);
  if (wrong.length > 0) refuse(path, wrong);
  const parsed = serverFile.safeParse(document.toJS() ?? {});
  if (parsed.success) return new Map(Object.entries(parsed.data.commands));
  return refuse(
    path,
    parsed.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${problemOf(issue)}`),
  );
}

/** Of a name that may not be one, what is wrong with it. */
function problemOf(issue: z.core.$ZodIssue): string {
  return (issue.code === "invalid_key" ? issue.issues[0]?.message : undefined) ?? issue.message;
}

async function readTrusted(path: string): Promise<string | null> {
  try {
    return await readFile(await trustedFile(path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    return refuse(path, [error instanceof Error ? error.message : String(error)]);
  }
}

function refuse(path: string, problems: readonly string[]): never {
  throw new IssuerError("server_file", `${path} is refused: ${problems.join("; ")}`, "Configuration");
}
