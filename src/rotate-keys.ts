import { join } from "node:path";
import { type Config, loadConfig } from "./config.ts";
import { adoptNextKey, embeddedKeys, nextEmbeddedKey, openDataDir } from "./platform/data-dir.ts";
import { openDatabase } from "./platform/database.ts";
import { lockDirectory } from "./platform/directory-lock.ts";
import { startEmbeddedPostgres } from "./platform/embedded-postgres.ts";
import { createLog } from "./platform/log.ts";
import { createSealer, type Sealer } from "./platform/seal.ts";
import { StartupError } from "./platform/startup-error.ts";
import { type Rotation, rotateSealed } from "./sealed-values/rotate.ts";

/** Changes the wrapping key of a control plane's database. Returns what was done, for people. Throws StartupError. */
export async function rotateKeys(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const config = loadConfig(env);
  const { databaseUrl, encryptionKey, decryptionKeys } = config;
  if (encryptionKey && decryptionKeys.length === 0) {
    throw new StartupError(
      "set CERTCTL_CONFIG_ENCRYPTION_KEY to the new key and CERTCTL_CONFIG_DECRYPTION_KEYS to the one before",
    );
  }
  const sealer = encryptionKey && createSealer(encryptionKey, decryptionKeys);
  if (databaseUrl !== undefined && sealer) return wordsOf(await rotate(databaseUrl, sealer));
  return wordsOf(await rotateEmbedded(config, sealer, signal));
}

/** The embedded database belongs to one process at a time: the control plane must be stopped. */
async function rotateEmbedded(
  { dataDir, logLevel }: Config,
  given: Sealer | undefined,
  signal: AbortSignal,
): Promise<Rotation> {
  await openDataDir(dataDir);
  await using _lock = await lockDirectory(dataDir);
  const log = createLog(logLevel === "info" ? "warn" : logLevel);
  const postgres = await startEmbeddedPostgres({ directory: join(dataDir, "postgres"), log, signal });
  try {
    if (given) return await rotate(postgres.url, given);
    const before = await embeddedKeys(dataDir);
    // On disk before anything is sealed with it: from here on both keys open at a start.
    const next = await nextEmbeddedKey(dataDir);
    const rotation = await rotate(postgres.url, createSealer(next, before));
    await adoptNextKey(dataDir);
    return rotation;
  } finally {
    await postgres.stop();
  }
}

async function rotate(databaseUrl: string, sealer: Sealer): Promise<Rotation> {
  await using handle = openDatabase(databaseUrl, () => {});
  return await rotateSealed(handle.db, sealer);
}

function wordsOf(rotation: Rotation): string {
  const lines = Object.entries(rotation).map(([table, count]) => `${table}: ${count}`);
  if (lines.length === 0) return "everything is sealed with the encryption key already\n";
  return `sealed with the new key:\n  ${lines.join("\n  ")}\nthe key before is needed no longer\n`;
}
