import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Code, ConnectError } from "@connectrpc/connect";
import { parseDocument } from "yaml";
import { lifeOf, readIdentity } from "../../agent/identity.ts";
import { writeAtomically } from "../platform/data-dir.ts";
import { StartupError } from "../platform/startup-error.ts";
import type { Api } from "./api.ts";

export const sampleAgentId = "ag-local";
export const sampleEntry = "sample";

const agentMain = fileURLToPath(new URL("../../agent/main.ts", import.meta.url));
const restartAfterMs = 1_000;
const stopWithinMs = 5_000;
const connectWithinMs = 30_000;

/** Runs the agent of this host as a process of its own, and again when it ends by itself. Resolves when it is connected. */
export async function runAgentProcess(options: {
  dataDir: string;
  url: string;
  api: Api;
  logLevel: string;
  signal: AbortSignal;
}): Promise<AsyncDisposable> {
  const { dataDir, api, signal } = options;
  let joinFile = await introduce(dataDir, api);
  signal.throwIfAborted();
  const stopping = new AbortController();
  const connected = Promise.withResolvers<void>();
  let child: ChildProcess | undefined;
  const running = (async () => {
    while (!stopping.signal.aborted) {
      child = start(options, joinFile);
      child.once("message", () => connected.resolve(forgetToken(dataDir)));
      await once(child, "exit");
      await delay(restartAfterMs, undefined, { signal: stopping.signal }).catch(() => {});
      // Its identity may have expired while the machine slept. What fails now is tried again after the next end.
      if (!stopping.signal.aborted) joinFile = await introduce(dataDir, api).catch(() => null);
    }
  })();
  const agent = {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      // Not by a signal: after the terminal's Ctrl-C it would be the second.
      if (child?.connected) child.disconnect();
      const kill = setTimeout(() => child?.kill("SIGKILL"), stopWithinMs);
      await running;
      clearTimeout(kill);
    },
  };
  const deadline = AbortSignal.timeout(connectWithinMs);
  const late = new StartupError("the agent could not connect; its log is above");
  deadline.addEventListener("abort", () => connected.reject(late));
  signal.addEventListener("abort", () => connected.reject(signal.reason));
  try {
    await connected.promise;
  } catch (error) {
    await agent[Symbol.asyncDispose]();
    throw error;
  }
  return agent;
}

function start(
  { dataDir, url, logLevel }: { dataDir: string; url: string; logLevel: string },
  joinFile: string | null,
): ChildProcess {
  // The control plane's settings hold its secrets.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(CERTCTL|DATABASE)_/.test(name));
  return fork(agentMain, {
    env: {
      ...Object.fromEntries(inherited),
      CERTCTL_DATA_DIR: dataDir,
      CERTCTL_AGENT_NAME: "local",
      // Where it answers now: the identity may remember another port.
      CERTCTL_SERVER_URL: url,
      CERTCTL_LOG_LEVEL: logLevel,
      ...(joinFile ? { CERTCTL_JOIN_FILE: joinFile } : {}),
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
}

/** Makes a join token where the agent has no identity that holds. Returns the file that carries it. */
async function introduce(dataDir: string, api: Api): Promise<string | null> {
  const stateDir = join(dataDir, "agent");
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const identity = await readIdentity(stateDir);
  if (identity && lifeOf(identity).notAfter > new Date() && (await isKnown(api))) return null;
  await rm(join(stateDir, "identity.json"), { force: true });
  const { joinToken } = await api.agents.createJoinToken({ agentId: sampleAgentId });
  const path = joinPath(dataDir);
  await writeAtomically(path, joinToken?.join ?? "", 0o600);
  return path;
}

/** A token that was used opens nothing, and is not kept all the same. */
async function forgetToken(dataDir: string): Promise<void> {
  await rm(joinPath(dataDir), { force: true });
}

const joinPath = (dataDir: string) => join(dataDir, "agent", "join");

async function isKnown(api: Api): Promise<boolean> {
  try {
    await api.agents.getAgent({ id: sampleAgentId });
    return true;
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.NotFound) return false;
    throw error;
  }
}

/** Allows the agent, in its agent.yaml, to deploy to the sample. What else its owner wrote there stays. */
export async function allowSample(dataDir: string, directory: string, port: number): Promise<void> {
  await mkdir(join(dataDir, "agent"), { recursive: true, mode: 0o700 });
  const path = join(dataDir, "agent", "agent.yaml");
  const text = await readFile(path, "utf8").catch(() => "");
  const document = parseDocument(text);
  const allowed = document.get("allowed_directories");
  const directories: unknown[] =
    (document.toJS() as { allowed_directories?: unknown[] } | null)?.allowed_directories ?? [];
  if (!allowed || !directories.includes(directory))
    document.set("allowed_directories", [...directories, directory]);
  document.setIn(["targets", sampleEntry], { kind: "files", directory, endpoint: `127.0.0.1:${port}` });
  await writeAtomically(path, document.toString(), 0o600);
}
