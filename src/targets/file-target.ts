import { X509Certificate } from "node:crypto";
import { access, stat } from "node:fs/promises";
import { z } from "zod";
import { trustedDirectory } from "../platform/trusted-path.ts";
import { type FilePlan, failure, servedNow } from "./file-plan.ts";
import {
  entryParts,
  type FileConfig,
  type FileEntry,
  fileConfig,
  isTwoFiles,
  pairFiles,
  type ServerTraits,
  twoFiles,
} from "./file-schema.ts";
import { deployFiles } from "./file-transaction.ts";
import { inspectFiles } from "./inspect-files.ts";
import { type Layout, pairLayout } from "./layout.ts";
import { nameToProve, sansOf } from "./prove.ts";
import { DeployError, defineTarget, type Target, type TargetContext } from "./target.ts";
import { takeTurns } from "./turns.ts";
import { certificateOf, forgetKey, linked, type Site } from "./versions.ts";

/** A server that reads the certificate from one file and the key from another. */
export function definePairTarget({ title, ...traits }: ServerTraits & { title: string }): Target {
  const host = z.strictObject({ ...entryParts(traits), ...pairFiles }).refine(isTwoFiles, twoFiles);
  return defineFileTarget<z.infer<typeof host>>({ kind: traits.kind, title, host, layout: pairLayout });
}

/** A target that is files, a command that makes a server take them, and an endpoint that shows it. */
export function defineFileTarget<Entry extends FileEntry>(options: {
  kind: string;
  title: string;
  /** From file-schema.ts. */
  host: z.ZodType<Entry>;
  layout(entry: Entry): Layout;
}): Target {
  const { kind, title, host, layout } = options;
  const inTurn = takeTurns();
  const find = (name: string, ctx: TargetContext) => findEntry(kind, host, name, ctx);
  const openSite = (entry: Entry, ctx: TargetContext) => openAllowed(entry, layout(entry), ctx);

  async function open(config: FileConfig, ctx: TargetContext): Promise<{ entry: Entry; site: Site }> {
    const entry = find(config.entry, ctx);
    const site = await openSite(entry, ctx).catch((error: unknown) => {
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
      return servedNow({ ...entry, name }, ctx.signal);
    },
    inspect: (config, ctx) =>
      inspectFiles({
        config,
        ctx,
        findEntry: () => find(config.entry, ctx),
        openSite: (entry) => openSite(entry, ctx),
        nameOn: async (site) => config.server_name ?? (await installedName(site)),
      }),
    forget: async (keyId, ctx) => {
      let isGone = true;
      for (const [name, { kind: entryKind }] of ctx.host.targets) {
        if (entryKind !== kind || !(await exists(find(name, ctx).directory))) continue;
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

function findEntry<Entry>(kind: string, host: z.ZodType<Entry>, name: string, ctx: TargetContext): Entry {
  const entry = ctx.host.targets.get(name);
  if (!entry) throw new DeployError("host_file", `agent.yaml has no target "${name}"`);
  if (entry.kind !== kind)
    throw new DeployError(
      "host_file",
      `the target "${name}" of agent.yaml is of kind ${entry.kind}, not ${kind}`,
    );
  return host.parse(entry);
}

async function openAllowed(entry: FileEntry, layout: Layout, { host }: TargetContext): Promise<Site> {
  const directory = await trustedDirectory(entry.directory, host.allowedDirectories);
  const { uid, gid } = await stat(directory);
  const isChosen = entry.owner !== undefined || entry.group !== undefined;
  return {
    directory,
    layout,
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
    start: entry.start,
    endpoint: entry.endpoint,
    protocol: entry.protocol,
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
