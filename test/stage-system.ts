import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Nginx, startNginx } from "./nginx.ts";
import { nginxEntry, type System, startSystem, type TestAgent } from "./system.ts";

/** A system with an agent beside a real nginx, and a certificate declared for it. */
export interface StagedSystem extends AsyncDisposable {
  system: System;
  nginx: Nginx;
  agent: TestAgent;
  /** Runs the agent again after its end, with the same state. */
  restartAgent(): Promise<void>;
  certificateId: string;
  serverName: string;
}

export async function stageSystem(
  options: {
    isEmbedded?: boolean;
    env?: Record<string, string>;
    agentEnv?: Record<string, string>;
    sans?: string[];
  } = {},
): Promise<StagedSystem> {
  await using parts = new AsyncDisposableStack();
  const system = parts.use(await startSystem(options));
  const directory = await mkdtemp(join(tmpdir(), "certctl-nginx-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const nginx = parts.use(await startNginx({ directory }));
  let agent = await system.startAgent("ag-web", { env: options.agentEnv ?? {} });
  parts.defer(() => agent[Symbol.asyncDispose]());
  await agent.allow({ allowed_directories: [directory], targets: { site: nginxEntry(nginx) } });
  const certificateId = await system.declare({
    agentId: "ag-web",
    entry: "site",
    name: "web",
    ...(options.sans ? { sans: options.sans } : {}),
  });
  const kept = parts.move();
  return {
    system,
    nginx,
    get agent() {
      return agent;
    },
    async restartAgent() {
      agent = await system.startAgent("ag-web");
    },
    certificateId,
    serverName: "web.example.test",
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
