import { loadConfig } from "./config.ts";
import { systemClock } from "./platform/clock.ts";
import { createLog } from "./platform/log.ts";
import { runUntilStopped, untilAborted } from "./platform/process.ts";
import { startServer } from "./server.ts";

await runUntilStopped(async (signal) => {
  const config = loadConfig(process.env);
  const log = createLog(config.logLevel);
  await using server = await startServer({ config, clock: systemClock, log, signal });
  process.stdout.write(`ready ${server.app.url}\n`);
  const failure = await Promise.race([untilAborted(signal), server.failed]);
  if (failure) throw failure;
});
