import { createPrivateKey, type KeyObject } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "../src/platform/data-dir.ts";
import { freeText } from "../src/platform/free-text.ts";
import { CsrError, makeCsr, matchCsr, readCsr } from "../src/x509/csr.ts";
import { parseSan } from "../src/x509/names.ts";
import { newKey } from "../src/x509/new-key.ts";
import { fromPem, pem } from "../src/x509/pem.ts";

/** The private keys of this agent. They are made here, mode 0600, and never leave. */
export interface KeyStore {
  /** The CSR of a key that is made at the first call and used again at every later one, so that a repeat is the same. */
  csrFor(keyId: string, wanted: CsrWish): Promise<{ csrPem: string; isNew: boolean }>;
  /** Keeps a key that was made elsewhere. Throws when the text is none. */
  keep(keyId: string, keyPem: string): Promise<void>;
  /** Throws when there is no such key. */
  read(keyId: string): Promise<string>;
  list(): Promise<string[]>;
  destroy(keyId: string): Promise<void>;
}

export interface CsrWish {
  commonName: string;
  sans: readonly string[];
  /** One of keyAlgorithms. */
  keyAlgorithm: string;
}

export async function openKeyStore(directory: string): Promise<KeyStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);

  /** Ids come from the control plane; as file names they must not lead anywhere else. */
  function pathOf(keyId: string, suffix: "key" | "csr"): string {
    if (!/^job-[a-z0-9][a-z0-9-]{0,62}$/.test(keyId)) throw new Error(`"${freeText(keyId)}" is no key id`);
    return join(directory, `${keyId}.${suffix}`);
  }

  async function keyFor(keyId: string, keyAlgorithm: string): Promise<{ key: KeyObject; isNew: boolean }> {
    const kept = await readFile(pathOf(keyId, "key"), "utf8").catch(() => null);
    if (kept !== null) return { key: createPrivateKey(kept), isNew: false };
    const key = await newKey(keyAlgorithm);
    await writeAtomically(
      pathOf(keyId, "key"),
      key.export({ type: "pkcs8", format: "pem" }).toString(),
      0o600,
    );
    return { key, isNew: true };
  }

  return {
    async csrFor(keyId, wanted) {
      const { key, isNew } = await keyFor(keyId, wanted.keyAlgorithm);
      const path = pathOf(keyId, "csr");
      const kept = await readFile(path, "utf8").catch(() => null);
      if (kept !== null && isFor(kept, wanted)) return { csrPem: kept, isNew: false };
      const csrPem = pem("CERTIFICATE REQUEST", makeCsr(key, wanted.commonName, wanted.sans.map(parseSan)));
      await writeAtomically(path, csrPem, 0o600);
      return { csrPem, isNew };
    },
    async keep(keyId, keyPem) {
      const key = createPrivateKey(keyPem);
      await writeAtomically(
        pathOf(keyId, "key"),
        key.export({ type: "pkcs8", format: "pem" }).toString(),
        0o600,
      );
    },
    read: (keyId) => readFile(pathOf(keyId, "key"), "utf8"),
    async list() {
      const names = await readdir(directory);
      return names.filter((name) => name.endsWith(".key")).map((name) => name.slice(0, -".key".length));
    },
    async destroy(keyId) {
      await rm(pathOf(keyId, "key"), { force: true });
      await rm(pathOf(keyId, "csr"), { force: true });
    },
  };
}

/** Whether a CSR that was made earlier still asks for what is wanted now. */
function isFor(csrPem: string, wanted: CsrWish): boolean {
  try {
    const [der] = fromPem("CERTIFICATE REQUEST", csrPem);
    if (!der) return false;
    matchCsr(readCsr(der), wanted);
    return true;
  } catch (error) {
    if (error instanceof CsrError) return false;
    throw error;
  }
}
