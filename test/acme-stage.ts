import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type Nginx, startNginx } from "./nginx.ts";
import type { Pebble } from "./pebble.ts";
import { nginxEntry, type System, startSystem, type TestAgent } from "./system.ts";

/** A control plane that may call loopback, an agent beside a real nginx, and the ports where CAs look. */
export interface AcmeStage extends AsyncDisposable {
  system: System;
  agent: TestAgent;
  nginx: Nginx;
  /** The control plane's plain HTTP. */
  pkiPort: number;
  /** Where the agent may answer by itself. */
  agentHttpPort: number;
  agentTlsPort: number;
  /** A directory that agent.yaml names as the webroot of names below webroot.test. */
  webroot: string;
  /** Declares an issuer over a CA; its id. */
  issuer(pebble: Pebble, config?: Record<string, unknown>): Promise<string>;
  /** Declares a certificate that is deployed to the nginx; its id. */
  certificate(issuerId: string, sans: readonly string[]): Promise<string>;
}

export async function openAcmeStage(env: Record<string, string> = {}): Promise<AcmeStage> {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "certctl-acme-"));
  parts.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const nginx = parts.use(await startNginx({ directory }));
  const webroot = join(directory, "webroot");
  await mkdir(webroot);
  const [pkiPort, agentHttpPort, agentTlsPort] = [await freePort(), await freePort(), await freePort()];
  const settings = { CERTCTL_PKI_PORT: String(pkiPort), CERTCTL_EGRESS_ALLOW: "127.0.0.0/8,::1/128" };
  const system = parts.use(await startSystem({ env: { ...settings, ...env } }));
  const agent = parts.use(await system.startAgent("ag-acme"));
  const host = {
    allowed_directories: [nginx.site, webroot],
    targets: { main: nginxEntry(nginx) },
    acme: {
      webroots: [{ names: ["*.webroot.test"], directory: webroot }],
      http_listen: `127.0.0.1:${agentHttpPort}`,
      tls_alpn_listen: `127.0.0.1:${agentTlsPort}`,
    },
  };
  await agent.allow(host);
  let count = 0;

  async function created(path: string, body: unknown): Promise<string> {
    const answer = await system.rest("POST", path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.id;
  }

  const target = {
    id: "tgt-main",
    name: "main",
    kind: "nginx",
    agent_id: agent.id,
    config: { entry: "main" },
  };
  await created("/api/v1/targets", target);
  const kept = parts.move();
  return {
    ...{ system, agent, nginx, pkiPort, agentHttpPort, agentTlsPort, webroot },
    issuer(pebble, config = {}) {
      count += 1;
      const known = { directory_url: pebble.directoryUrl, ca: pebble.ca, root: pebble.roots.join("") };
      const wanted = { ...known, terms_of_service_agreed: true, ...config };
      return created("/api/v1/issuers", { name: `acme ${count}`, kind: "acme", config: wanted });
    },
    certificate(issuerId, sans) {
      count += 1;
      const names = { common_name: sans[0], sans };
      const wanted = { name: `site ${count}`, issuer_id: issuerId, target_ids: ["tgt-main"], ...names };
      return created("/api/v1/certificates", wanted);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
