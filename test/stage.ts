import { readlink } from "node:fs/promises";
import { join } from "node:path";
import { hostFileSchema } from "../agent/host-file.ts";
import type { Bundle, HostFile, StepName, TargetContext } from "../src/targets/target.ts";
import { type Chain, makeChain } from "./certificates.ts";
import { envoy, traefik } from "./fakes/file-providers.ts";
import { type Nginx, startNginx } from "./nginx.ts";
import { recipes } from "./servers/recipes.ts";
import { startServer } from "./servers/server.ts";
import { temporaryDirectory } from "./site.ts";
import { startWatchingServer, type Watching } from "./watching-server.ts";

/** A real server to deploy to, and what agent.yaml says about it. */
export interface Stage extends AsyncDisposable {
  /** The target's directory. */
  site: string;
  endpoint: string;
  /** The target's configuration. */
  config: { entry: string };
  /** agent.yaml; the fields given replace those of the entry. */
  host(changes?: Record<string, unknown>): HostFile;
  /** The same, as it would stand in the file. */
  hostFile(changes?: Record<string, unknown>): { allowed_directories: string[]; targets: object };
  /** The version that a link names. */
  version(link: "current" | "previous"): Promise<string | null>;
}

/** Servers that need no reload. */
const watchingServers: Record<string, [Watching?]> = { files: [], traefik: [traefik], envoy: [envoy] };

/** A stage for any kind of the registry. */
export async function stageFor(kind: string): Promise<Stage> {
  if (kind === "nginx") return nginxStage();
  const watching = watchingServers[kind];
  if (watching) return watchingStage(kind, ...watching);
  const recipe = recipes[kind];
  if (!recipe) throw new Error(`${kind} has no server in test/servers/recipes.ts`);
  const directory = await temporaryDirectory();
  const server = await startServer(recipe, directory.path);
  return stage(kind, directory.path, server, server.commands, [server, directory]);
}

export async function nginxStage(): Promise<Stage & { nginx: Nginx }> {
  const directory = await temporaryDirectory();
  const server = await startNginx({ directory: directory.path });
  const commands = { test: server.testArgv, reload: server.reloadArgv };
  return { ...stage("nginx", directory.path, server, commands, [server, directory]), nginx: server };
}

async function watchingStage(kind: string, watching?: Watching): Promise<Stage> {
  const directory = await temporaryDirectory();
  const server = await startWatchingServer({ directory: directory.path }, watching);
  return stage(kind, directory.path, server, {}, [server, directory]);
}

/** A bundle as an agent puts it together. */
export function bundleOf(chain: Chain, keyId: string): Bundle {
  const { leafPem, intermediatePem, rootPem, keyPem, fingerprintSha256, sans } = chain;
  return {
    leafPem,
    chainPem: [intermediatePem],
    rootPem,
    keyPem,
    fingerprintSha256,
    sans,
    versionId: `ver-${keyId}`,
    keyId,
  };
}

export function newBundle(keyId: string): Bundle {
  return bundleOf(makeChain({ sans: ["site.test", "*.site.test"] }), keyId);
}

/** A context that writes down its steps. */
export function contextFor(
  host: HostFile,
  signal: AbortSignal = new AbortController().signal,
): TargetContext & { steps: StepName[] } {
  const steps: StepName[] = [];
  return { host, signal, steps, step: (name) => steps.push(name) };
}

function stage(
  kind: string,
  directory: string,
  server: { site: string; endpoint: string },
  commands: object,
  owned: AsyncDisposable[],
): Stage {
  const { site, endpoint } = server;
  const entry = { kind, directory: site, endpoint, prove_within_seconds: 5, ...commands };
  const hostFile = (changes: Record<string, unknown> = {}) => ({
    allowed_directories: [directory],
    targets: { site: { ...entry, ...changes } },
  });
  return {
    site,
    endpoint,
    config: { entry: "site" },
    hostFile,
    host: (changes) => hostFileSchema.parse(hostFile(changes)),
    version: (link) =>
      readlink(join(site, link)).then(
        (target) => target.replace("versions/", ""),
        () => null,
      ),
    [Symbol.asyncDispose]: async () => {
      for (const part of owned) await part[Symbol.asyncDispose]();
    },
  };
}
