import type { Pair } from "./pair.ts";

/** A file of a version. */
interface VersionFile {
  name: string;
  content: string;
  /** Whether a key is in it. */
  isSecret: boolean;
}

/** Which files a server wants to have. */
export interface Layout {
  /** The one whose first certificate is the leaf. */
  leaf: string;
  /** `directory`: where they lie. */
  files(pair: Pair, directory: string): readonly VersionFile[];
  /** One of the files, which is linked beside `current`, too, and anew at each switch: some servers watch for one name. */
  watched?: string;
}

/** Leaf with intermediates in one file, the key in another. */
export function pairLayout({ certificate, key }: { certificate: string; key: string }): Layout {
  return {
    leaf: certificate,
    files: ({ certificatePem, keyPem }) => [
      { name: certificate, content: certificatePem, isSecret: false },
      { name: key, content: keyPem, isSecret: true },
    ],
  };
}

/** Leaf, intermediates and key in one file, in this order. */
export function combinedLayout({ file }: { file: string }): Layout {
  return {
    leaf: file,
    files: ({ certificatePem, keyPem }) => [{ name: file, content: certificatePem + keyPem, isSecret: true }],
  };
}
