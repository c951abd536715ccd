// Fills a database of its own with the life of an estate, or drops it: npm run demo:data [-- --remove]
import { parseArgs } from "node:util";
import { writeAtomically } from "../src/platform/data-dir.ts";
import { createLog } from "../src/platform/log.ts";
import { runUntilStopped } from "../src/platform/process.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import { days } from "./estate.ts";
import { liveThrough } from "./history.ts";
import { openPlace } from "./place.ts";
import { startReceiver } from "./receiver.ts";
import { openWorld } from "./world.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const dayMs = 86_400_000;
/** The last day's work lies so far back that it is over now. */
const marginMs = 3 * 3_600_000;

await runUntilStopped(async (signal) => {
  const { remove } = parseArgs({ options: { remove: { type: "boolean", default: false } } }).values;
  const log = createLog("warn");
  await using place = await openPlace(process.env, log, signal);
  if (remove) {
    await place.drop();
    say("the demo's database certctl_demo is gone");
    return;
  }
  if (await place.exists())
    throw new StartupError(
      "the database certctl_demo exists already: npm run demo:data -- --remove drops it",
    );
  await place.create();
  try {
    await using receiver = await startReceiver();
    const start = new Date(Date.now() - days * dayMs - marginMs);
    await using world = await openWorld(place, receiver.egress, start, log);
    await liveThrough(world, start, (day) => {
      signal.throwIfAborted();
      if (day % 30 === 0) say(`day ${day} of ${days}`);
    });
    await writeAtomically(place.agentKeysPath, JSON.stringify(world.agentKeys), 0o600);
  } catch (error) {
    await place.drop();
    throw error;
  }
  say("certctl_demo is ready: npm run demo serves it");
});
