import { StartupError } from "../../src/platform/startup-error.ts";
import { type AgentConfig, loadAgentConfig } from "../config.ts";
import { checkFiles } from "./files.ts";
import { type Finding, failed, fine } from "./finding.ts";
import { checkHostFile } from "./host.ts";
import { checkIdentity } from "./known.ts";
import { checkServer } from "./server.ts";
import { checkService, settingsOf } from "./service.ts";

/**
 * Looks at everything that an agent on this host needs, without changing anything: settings, permissions, what agent.yaml allows and
 * whether it is there, the identity, the way to the control plane, the clock, the service.
 */
export async function examine(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Finding[]> {
  let config: AgentConfig;
  try {
    config = loadAgentConfig(await settingsOf(env));
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return [failed("settings", error.message, "docs/configuration.md has every setting")];
  }
  const { stateDir, keyDir, hostFilePath } = config;
  const now = new Date();
  return [
    fine("settings", `data in ${stateDir}, keys in ${keyDir}, ${hostFilePath}`),
    ...(await checkFiles(config)),
    ...(await checkHostFile(hostFilePath, signal)),
    ...(await checkIdentity(config, now)),
    ...(await checkServer(config, signal)),
    ...(await checkService(config)),
  ];
}
