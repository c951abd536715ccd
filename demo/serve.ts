// Serves the demo's database: npm run demo
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AppOptions, startApp } from "../src/app.ts";
import { systemClock } from "../src/platform/clock.ts";
import { openDatabase } from "../src/platform/database.ts";
import { createLog } from "../src/platform/log.ts";
import { runUntilStopped, untilAborted } from "../src/platform/process.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import { startFleet } from "./live.ts";
import { openPlace } from "./place.ts";

await runUntilStopped(async (signal) => {
  const log = createLog(process.env["CERTCTL_LOG_LEVEL"] ?? "warn");
  await using place = await openPlace(process.env, log, signal);
  if (!(await place.exists())) throw new StartupError("there is no demo yet: npm run demo:data makes it");
  const { config, url: databaseUrl, sealer } = place;
  await using app = await serve({
    config: { ...config, drainGraceMs: 0 },
    databaseUrl,
    sealer,
    clock: systemClock,
    log,
  });
  await using database = openDatabase(databaseUrl, () => {});
  const { db } = database;
  const [ca, key] = [join(config.dataDir, "ca.pem"), join(config.dataDir, "admin.key")];
  const [rootsPem, keys] = [
    await readFile(ca, "utf8"),
    JSON.parse(await readFile(place.agentKeysPath, "utf8")),
  ];
  await using _fleet = startFleet({ url: app.url, rootsPem, keys, db, log });
  process.stdout.write(`ready ${app.url}\nlog in with: certctl login ${app.url} --ca ${ca} < ${key}\n`);
  await untilAborted(signal);
});

async function serve(options: AppOptions): Promise<{ url: string } & AsyncDisposable> {
  const app = await startApp(options);
  return { url: app.url, [Symbol.asyncDispose]: () => app.close() };
}
