import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { isLocked } from "../../src/platform/directory-lock.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import type { AgentConfig } from "../config.ts";
import { loadHostFile } from "../host-file.ts";
import { places } from "../service/places.ts";
import { writableOf } from "../service/unit.ts";
import { type Finding, fine, warning } from "./finding.ts";

/** The service's settings where there is one, under those that are set here. */
export async function settingsOf(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const text = await readFile(places.environment, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw new StartupError(`${places.environment} cannot be read (${error.message}): run this as root`);
  });
  return { ...parseEnv(text), ...env };
}

/** Whether an agent runs with these settings, and whether the service's unit lets it write where agent.yaml lets it. */
export async function checkService(
  { keyDir, hostFilePath }: AgentConfig,
  unitPath = places.unit,
): Promise<Finding[]> {
  const unit = await readFile(unitPath, "utf8").catch(() => null);
  const start =
    unit === null ? "start it: certctl agent, or certctl agent install" : `systemctl start ${places.service}`;
  const running = (await isLocked(keyDir))
    ? fine("service", "an agent runs with these settings")
    : warning("service", "no agent runs with these settings", start);
  if (unit === null) return [running];
  const allowed = (await loadHostFile(hostFilePath).catch(() => null))?.allowedDirectories ?? [];
  const closed = allowed.filter(
    (directory) => /^\/(etc|usr|boot)\//.test(directory) && !writableOf(unit).includes(directory),
  );
  if (closed.length === 0) return [running];
  return [
    running,
    warning(
      "service",
      `${unitPath} keeps ${closed.join(", ")} read-only, which agent.yaml allows`,
      `certctl agent install, then systemctl restart ${places.service}`,
    ),
  ];
}
