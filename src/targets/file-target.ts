import { X509Certificate } from "node:crypto";
import { access, stat } from "node:fs/promises";
import type { z } from "zod";
import { trustedDirectory } from "../platform/trusted-path.ts";
import { type FilePlan, failure, servedNow } from "./file-plan.ts";
import { type FileConfig, type FileEntry, fileConfig } from "./file-schema.ts";
import { deployFiles } from "./file-transaction.ts";
import { inspectFiles } from "./inspect-files.ts";
import { nameToProve, sansOf } from "./prove.ts";
import { DeployError, defineTarget, type Target, type TargetContext } from "./target.ts";
import { takeTurns } from "./turns.ts";
import { certificateOf, forgetKey, linked, type Site } from "./versions.ts";

/** A target that is two files, a command that makes a server take them, and an endpoint that shows it. */
export function defineFileTarget(options: {
  kind: string;
  title: string;
  /** From file-schema.ts. */
  host: z.ZodType<FileEntry>;
}): Target {
  const { kind, title, host } = options;
  const inTurn = takeTurns();

  async function open(config: FileConfig, ctx: TargetContext): Promise<{ entry: FileEntry; site: Site }> {
    const entry = findEntry(kind, host, config.entry, ctx);
    const site = await openSite(entry, ctx.host.allowedDirectories).catch((error: unknown) => {
      throw failure("host_file", error);
    });
    return { entry, site };
  }

  return defineTarget({
    kind,
    title,
    config: fileConfig,
    host,
    deploy: (bundle, config, ctx) =>
      inTurn(config.entry, ctx.signal, async () => {
        const { entry, site } = await open(config, ctx);
        const name = config.server_name ?? nameToProve(bundle.sans);
        return deployFiles(planOf(entry, site, name), bundle, ctx);
      }).catch((error: unknown) => {
        throw failure("write", error, ctx.signal);
      }),
    served: async (config, ctx) => {
      const { entry, site } = await open(config, ctx);
      const name = config.server_name ?? (await installedName(site));
      return servedNow({ endpoint: entry.endpoint, name }, ctx.signal);
    },
    inspect: (config, ctx) =>
      inspectFiles({
        config,
        ctx,
        findEntry: () => findEntry(kind, host, config.entry, ctx),
        openSite: (entry) => openSite(entry, ctx.host.allowedDirectories),
        nameOn: async (site) => config.server_name ?? (await installedName(site)),
      }),
    forget: async (keyId, ctx) => {
      let isGone = true;
      for (const [name, { kind: entryKind }] of ctx.host.targets) {
        if (entryKind !== kind || !(await exists(findEntry(kind, host, name, ctx).directory))) continue;
        const isGoneHere = await inTurn(name, ctx.signal, async () => {
          const { site } = await open({ entry: name }, ctx);
          return forgetKey(site, keyId);
        });
        isGone = isGone && isGoneHere;
      }
      return isGone;
    },
  });
}

function findEntry(kind: string, host: z.ZodType<FileEntry>, name: string, ctx: TargetContext): FileEntry {
  const entry = ctx.host.targets.get(name);
  if (!entry) throw new DeployError("host_file", `agent.yaml has no target "${name}"`);
  if (entry.kind !== kind)
    throw new DeployError(
      "host_file",
      `the target "${name}" of agent.yaml is of kind ${entry.kind}, not ${kind}`,
    );
  return host.parse(entry);
}

async function openSite(entry: FileEntry, allowedDirectories: readonly string[]): Promise<Site> {
  const directory = await trustedDirectory(entry.directory, allowedDirectories);
  const { uid, gid } = await stat(directory);
  const isChosen = entry.owner !== undefined || entry.group !== undefined;
  return {
    directory,
    certificate: entry.certificate,
    key: entry.key,
    // Only root may give files away.
    owner: isChosen || process.getuid?.() === 0 ? { uid: entry.owner ?? uid, gid: entry.group ?? gid } : null,
  };
}

function planOf(entry: FileEntry, site: Site, name: string | null): FilePlan {
  return {
    site,
    name,
    test: entry.test,
    reload: entry.reload,
    endpoint: entry.endpoint,
    proofDeadlineMs: entry.prove_within_seconds * 1000,
    commandTimeoutMs: entry.command_timeout_seconds * 1000,
  };
}

/** The name to ask for when nobody says one: the installed certificate's. */
async function installedName(site: Site): Promise<string | null> {
  const current = await linked(site, "current").catch(() => null);
  const pem = current === null ? null : await certificateOf(site, current);
  return pem === null ? null : nameToProve(sansOf(new X509Certificate(pem)));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
