import { basename, join } from "node:path";
import { stringify } from "yaml";
import { absolutePath, fileName, pairFiles } from "./file-schema.ts";
import { type Layout, pairLayout } from "./layout.ts";

/** What an entry has for a proxy that finds its certificates in a file of its own, which certctl writes. */
export function providerFields(file: string) {
  return {
    ...pairFiles,
    file: fileName.default(file).meta({ description: "The file that tells the proxy where the pair lies" }),
    proxy_directory: absolutePath.optional().meta({
      description: "`directory` as the proxy sees it, where that is another path: in a container",
    }),
  };
}

interface ProviderEntry {
  certificate: string;
  key: string;
  file: string;
  proxy_directory?: string | undefined;
}

/** The pair, and a file that names it by a path which no other version has: proxies load nothing whose name stayed. */
export function providerLayout(
  entry: ProviderEntry,
  describe: (paths: { certificate: string; key: string }) => object,
): Layout {
  const { certificate, key, file, proxy_directory: seenAt } = entry;
  const pair = pairLayout(entry);
  return {
    ...pair,
    files: (written, directory) => {
      const seen = seenAt === undefined ? directory : join(seenAt, "versions", basename(directory));
      const paths = { certificate: join(seen, certificate), key: join(seen, key) };
      const provider = { name: file, content: stringify(describe(paths)), isSecret: false };
      return [...pair.files(written, directory), provider];
    },
  };
}

/** The three files have names of their own. */
export function isThreeFiles({ certificate, key, file }: ProviderEntry): boolean {
  return new Set([certificate, key, file]).size === 3 && !["current", "previous", "versions"].includes(file);
}
export const threeFiles = { path: ["file"], message: "has to be a name that nothing else has there" };
