// A control plane of its own process whose business clock stands in a file: what a month brings is seen in minutes.
import { readFileSync } from "node:fs";
import { loadConfig } from "../src/config.ts";
import { createLog } from "../src/platform/log.ts";
import { runUntilStopped, untilAborted } from "../src/platform/process.ts";
import { startServer } from "../src/server.ts";

const [clockFile = ""] = process.argv.slice(2);

await runUntilStopped(async (signal) => {
  const config = loadConfig(process.env);
  const log = createLog(config.logLevel);
  const clock = () => new Date(Number(readFileSync(clockFile, "utf8")));
  await using server = await startServer({ config, clock, log, signal });
  process.stdout.write(`ready ${server.app.url}\n`);
  await Promise.race([untilAborted(signal), server.failed]);
});
