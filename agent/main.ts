import { createLog } from "../src/platform/log.ts";
import { runUntilStopped } from "../src/platform/process.ts";
import { runAgent } from "./agent.ts";
import { loadAgentConfig } from "./config.ts";

await runUntilStopped(async (signal) => {
  const config = loadAgentConfig(process.env);
  // Who forked the agent is told when it is connected.
  const onConnected = () => void process.send?.("connected");
  await runAgent(config, { log: createLog(config.logLevel), signal, onConnected });
});
