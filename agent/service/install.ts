import { access, chown, mkdir, readdir, readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { parseEnv } from "node:util";
import { writeAtomically } from "../../src/platform/data-dir.ts";
import { runProgram } from "../../src/platform/program.ts";
import { readSettings } from "../../src/platform/settings.ts";
import { StartupError } from "../../src/platform/startup-error.ts";
import { trustedFile } from "../../src/platform/trusted-path.ts";
import { type AgentConfig, agentSecrets, agentSettings, loadAgentConfig } from "../config.ts";
import { loadHostFile } from "../host-file.ts";
import { joinControlPlane, readIdentity } from "../identity.ts";
import { places, stateDirectory } from "./places.ts";
import { unitText } from "./unit.ts";

export interface InstallWish {
  /** The settings to keep, and the join string. */
  env: NodeJS.ProcessEnv;
  /** Who the agent is to run as. */
  user: string;
  /** Below which everything is written, for a disk that another host will start from; "/" for this host. */
  root: string;
  /** The program and the file that it runs, absolute paths. */
  argv: readonly [string, ...string[]];
  signal: AbortSignal;
  /** A line on what was done. */
  say(line: string): void;
}

const joinWithinMs = 60_000;
const commandMs = 20_000;

const emptyHostFile = `# What certctl may do on this host: docs/configuration.md shows every line.
# Directories that it may write in:
allowed_directories: []
# By the name that a target's configuration gives:
targets: {}
`;

/**
 * Makes the agent a service of systemd: keeps its settings, joins the control plane where a join string is at hand, and writes a
 * unit. What is there of agent.yaml and of an identity stays. Throws StartupError.
 */
export async function installAgent(wish: InstallWish): Promise<void> {
  const { env, user, root, argv, signal, say } = wish;
  const below = (path: string) => join(root, path);
  const owner = await idsOf(user, signal);
  if (process.getuid?.() !== 0) throw new StartupError("only root can install a service: run it with sudo");
  await checkProgram(argv);
  // Run again, it keeps what it kept before.
  const before = await readFile(below(places.environment), "utf8").catch(() => "");
  const settings = { ...parseEnv(before), ...kept(env) } as Record<string, string>;
  await mkdir(below(places.directory), { recursive: true, mode: 0o755 });
  await writeAtomically(below(places.environment), environmentText(settings), 0o600);
  say(`${below(places.environment)}: settings`);
  if (await isMissing(below(places.hostFile))) {
    await writeAtomically(below(places.hostFile), emptyHostFile, 0o644);
    say(`${below(places.hostFile)}: allows nothing yet; it is yours to fill in`);
  }
  const at = { CERTCTL_DATA_DIR: below(places.data), CERTCTL_AGENT_CONFIG: below(places.hostFile) };
  const config = loadAgentConfig({ ...env, ...settings, ...at });
  await known(config, signal, say);
  await give(config.stateDir, owner);
  await give(below(places.data), owner, false);
  const { allowedDirectories } = await loadHostFile(below(places.hostFile));
  const keyDir = settings["CERTCTL_KEY_DIR"];
  await mkdir(below(places.units), { recursive: true, mode: 0o755 });
  const unit = unitText({
    argv,
    user,
    environmentFile: places.environment,
    stateDirectory,
    writable: [...allowedDirectories, ...(keyDir ? [keyDir] : [])],
  });
  await writeAtomically(below(places.unit), unit, 0o644);
  say(`${below(places.unit)}: the service, which writes to ${list(allowedDirectories)} of /etc and /usr`);
}

/** Has systemd know the unit, start it now and at every boot. Throws StartupError with systemd's words. */
export async function startService(signal: AbortSignal): Promise<void> {
  if (await isMissing("/run/systemd/system"))
    throw new StartupError("systemd does not run here; start the agent as your own supervisor does");
  for (const argv of [
    ["systemctl", "daemon-reload"],
    ["systemctl", "enable", places.service],
    ["systemctl", "restart", places.service],
  ] as [string, ...string[]][]) {
    const end = await runProgram(argv, { signal, timeoutMs: commandMs, maxLength: 4_096, excess: "drop" });
    if (end.code !== 0) throw new StartupError(`${argv.join(" ")} failed: ${end.stderr.trim()}`);
  }
}

/** Joins with the string that is at hand, unless the agent is known already: then the string is of no use to it. */
async function known(config: AgentConfig, signal: AbortSignal, say: (line: string) => void): Promise<void> {
  const { introduction, stateDir } = config;
  const identity = await readIdentity(stateDir);
  if (introduction.kind === "api_key") return say("the agent is known by its API key");
  if (identity) return say(`the agent is ${identity.agentId} already`);
  if (introduction.kind === "none")
    return say(
      "no join string is set: put one in CERTCTL_JOIN and run this again before the service is started",
    );
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(joinWithinMs)]);
  const { agentId, server } = await joinControlPlane(config, introduction, limit);
  say(`joined ${server} as ${agentId}`);
}

/** The settings that the service is to have. The join string is used up here. */
function kept(env: NodeJS.ProcessEnv): Record<string, string> {
  const {
    CERTCTL_JOIN: _,
    CERTCTL_DATA_DIR: dataDir,
    ...rest
  } = readSettings(env, agentSettings, agentSecrets);
  if (dataDir !== undefined && dataDir !== places.data)
    throw new StartupError(`the service keeps its data in ${places.data}; leave CERTCTL_DATA_DIR unset`);
  const given = Object.entries(rest).filter(
    ([name]) => env[name] !== undefined || env[`${name}_FILE`] !== undefined,
  );
  return {
    ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    CERTCTL_DATA_DIR: places.data,
    CERTCTL_AGENT_CONFIG: places.hostFile,
  };
}

/** Both systemd and Node read what stands in single quotes as it is. */
function environmentText(settings: Record<string, string>): string {
  return Object.entries(settings)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, value]) => {
      if (/['\n]/.test(value)) throw new StartupError(`${name}: a quote or a line break cannot be kept`);
      return `${name}='${value}'\n`;
    })
    .join("");
}

/** Root is to run this at every boot: nobody else may be able to change it, and the service has to see it. */
async function checkProgram(argv: readonly string[]): Promise<void> {
  for (const path of argv.filter(isAbsolute)) {
    if (/^\/(var\/)?tmp\//.test(path))
      throw new StartupError(
        `${path} lies where services do not look: move certctl to a place like /opt/certctl`,
      );
    await trustedFile(path).catch((error: Error) => {
      throw new StartupError(`the service would run ${path}: ${error.message}`);
    });
  }
}

interface Ids {
  uid: number;
  gid: number;
}

async function idsOf(user: string, signal: AbortSignal): Promise<Ids> {
  const ask = async (flag: string) => {
    const options = { signal, timeoutMs: commandMs, maxLength: 256, excess: "drop" } as const;
    return runProgram(["id", flag, "--", user], options);
  };
  const [uid, gid] = [await ask("-u"), await ask("-g")];
  if (uid.code !== 0)
    throw new StartupError(`there is no user ${user}: useradd --system --no-create-home ${user}`);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Hands a directory over, with what is in it. */
async function give(path: string, owner: Ids, isDeep = true): Promise<void> {
  if (await isMissing(path)) return;
  await chown(path, owner.uid, owner.gid);
  if (!isDeep) return;
  for (const entry of await readdir(path, { withFileTypes: true }))
    if (entry.isDirectory()) await give(join(path, entry.name), owner);
    else if (entry.isFile()) await chown(join(path, entry.name), owner.uid, owner.gid);
}

async function isMissing(path: string): Promise<boolean> {
  return access(path).then(
    () => false,
    () => true,
  );
}

function list(directories: readonly string[]): string {
  return directories.length === 0 ? "nothing" : directories.join(", ");
}
