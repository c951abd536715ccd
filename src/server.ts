import { join } from "node:path";
import { type App, startApp } from "./app.ts";
import type { Config } from "./config.ts";
import type { Clock } from "./platform/clock.ts";
import { embeddedKeys, openDataDir } from "./platform/data-dir.ts";
import { lockDirectory } from "./platform/directory-lock.ts";
import { startEmbeddedPostgres } from "./platform/embedded-postgres.ts";
import type { Log } from "./platform/log.ts";
import { createSealer } from "./platform/seal.ts";
import { StartupError } from "./platform/startup-error.ts";

/** A control plane with the database under it. */
export interface Server extends AsyncDisposable {
  app: App;
  /** Settles when the database under it is gone for good. */
  failed: Promise<StartupError | undefined>;
}

/** Starts a control plane in its data directory, on the database that is configured or an embedded one. */
export async function startServer(options: {
  config: Config;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}): Promise<Server> {
  const { config, log, signal } = options;
  await using starting = new AsyncDisposableStack();
  await openDataDir(config.dataDir);
  starting.use(await lockDirectory(config.dataDir));
  const database = await openServerDatabase(config, log, signal);
  starting.defer(() => database.stop());
  const app = await startApp({
    ...options,
    databaseUrl: database.url,
    sealer: database.sealer,
  });
  starting.defer(() => app.close());
  const parts = starting.move();
  return { app, failed: database.exited, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** The database that is configured, or an embedded one, with what opens its secrets. The caller holds the data directory. */
export async function openServerDatabase(
  { dataDir, databaseUrl, encryptionKey, decryptionKeys }: Config,
  log: Log,
  signal: AbortSignal,
) {
  if (databaseUrl !== undefined) {
    if (!encryptionKey) throw new StartupError("DATABASE_URL needs CERTCTL_CONFIG_ENCRYPTION_KEY");
    const exited = new Promise<undefined>(() => {});
    const sealer = createSealer(encryptionKey, decryptionKeys);
    return { url: databaseUrl, sealer, exited, async stop() {} };
  }
  const [key, ...others] = encryptionKey ? [encryptionKey] : await embeddedKeys(dataDir);
  const sealer = createSealer(key, [...others, ...decryptionKeys]);
  const postgres = await startEmbeddedPostgres({ directory: join(dataDir, "postgres"), log, signal });
  return { ...postgres, sealer };
}
