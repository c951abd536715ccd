import { access, constants, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { AgentConfig } from "../config.ts";
import { type Finding, failed, fine, warning } from "./finding.ts";

const forOthers = 0o077;

/** Whether the agent's own files are for it alone, and it can write them. */
export async function checkFiles({ stateDir, keyDir }: AgentConfig): Promise<Finding[]> {
  return [await checkDirectory("state", stateDir), await checkKeys(keyDir)];
}

async function checkDirectory(subject: string, path: string): Promise<Finding> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error)
    return found.code === "ENOENT"
      ? warning(subject, `${path} is not there yet`, "the agent makes it when it first starts")
      : failed(
          subject,
          `${path} cannot be looked at: ${found.message}`,
          "run this as the agent's user, or as root",
        );
  if ((found.mode & forOthers) !== 0)
    return failed(subject, `${path} is open to others (mode ${octal(found.mode)})`, `chmod 700 ${path}`);
  const isWritable = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  return isWritable
    ? fine(subject, `${path} is for user ${found.uid} alone`)
    : failed(
        subject,
        `${path} cannot be written by user ${process.getuid?.()}`,
        "run the agent as its owner",
      );
}

async function checkKeys(path: string): Promise<Finding> {
  const directory = await checkDirectory("keys", path);
  if (directory.state !== "ok") return directory;
  const names = (await readdir(path)).filter((name) => name.endsWith(".key"));
  const open: string[] = [];
  for (const name of names) {
    const { mode } = await stat(join(path, name));
    if ((mode & forOthers) !== 0) open.push(name);
  }
  if (open.length > 0)
    return failed(
      "keys",
      `others can read ${open.join(", ")}`,
      `chmod 600 ${join(path, "*.key")}, and renew their certificates: the keys may be known`,
    );
  return fine("keys", `${names.length} in ${path}, for their owner alone`);
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
