import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { createDatabase } from "./database.ts";
import { freePort } from "./free-port.ts";
import type { Nginx } from "./nginx.ts";
import { runScript, type TestProcess } from "./process.ts";
import { type Rest, type RestAnswer, restClient } from "./rest.ts";

/** A control plane and agents as processes of their own, over a database of their own. */
export interface System extends AsyncDisposable {
  directory: string;
  dataDir: string;
  url: string;
  databaseUrl: string;
  /** Seals the secrets in the database. */
  encryptionKey: Buffer;
  ca: string;
  adminKey: string;
  rest: Rest;
  server(): TestProcess;
  /** Starts the server again, after its end, on the same data; with other settings, if any are given. */
  restartServer(changes?: Record<string, string>): Promise<void>;
  /** Starts a second control plane over the same database; a REST client for it. */
  startReplica(): Promise<Rest>;
  /** Starts an agent process; the first time it joins by a token. */
  startAgent(id: string, options?: { env?: Record<string, string>; isJoining?: boolean }): Promise<TestAgent>;
  /** Declares a target for an agent and a certificate for it; the certificate's id. */
  declare(options: {
    agentId: string;
    entry: string;
    kind?: string;
    name: string;
    sans?: string[];
  }): Promise<string>;
  /** Renews and waits for the final outcome; the job. */
  renew(certificateId: string): Promise<RestAnswer["body"]>;
  /** Waits until the job is as wanted. */
  job(id: string, isWanted: (job: RestAnswer["body"]) => boolean): Promise<RestAnswer["body"]>;
}

export interface TestAgent extends AsyncDisposable {
  id: string;
  process: TestProcess;
  stateDir: string;
  /** Rewrites agent.yaml. */
  allow(host: { allowed_directories: string[]; targets: Record<string, unknown> }): Promise<void>;
}

export async function startSystem(
  options: { env?: Record<string, string>; isEmbedded?: boolean } = {},
): Promise<System> {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "certctl-system-"));
  parts.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  await chmod(directory, 0o711);
  const dataDir = join(directory, "data");
  const port = await freePort();
  const database = options.isEmbedded ? null : parts.use(await createDatabase());
  const encryptionKey = randomBytes(32);
  const env: Record<string, string> = {
    CERTCTL_DATA_DIR: dataDir,
    CERTCTL_PORT: String(port),
    CERTCTL_DRAIN_GRACE: "0",
    CERTCTL_LOG_LEVEL: "warn",
    ...(database
      ? { DATABASE_URL: database.url, CERTCTL_CONFIG_ENCRYPTION_KEY: encryptionKey.toString("base64") }
      : {}),
    ...options.env,
  };
  let server = runScript("src/main.ts", env);
  parts.defer(async () => void (await server.end("SIGTERM")));
  await server.line("ready https://");
  const url = `https://localhost:${port}`;
  const [ca, adminKey] = await Promise.all(
    ["ca.pem", "admin.key"].map(async (name) => (await readFile(join(dataDir, name), "utf8")).trim()),
  );
  const rest = restClient({ url, ca: ca ?? "", apiKey: adminKey ?? "" });

  async function ok(answer: Promise<RestAnswer>): Promise<RestAnswer["body"]> {
    const { status, body } = await answer;
    if (status >= 300) throw new Error(`HTTP ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  async function job(
    id: string,
    isWanted: (job: RestAnswer["body"]) => boolean,
  ): Promise<RestAnswer["body"]> {
    const deadline = Date.now() + 25_000;
    for (;;) {
      // Between a server's death and its return nobody answers.
      const found = await ok(rest("GET", `/api/v1/jobs/${id}`)).catch(() => null);
      if (found && isWanted(found)) return found;
      if (Date.now() > deadline)
        throw new Error(`job ${id} did not get there: ${JSON.stringify(found, null, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const system: System = {
    directory,
    dataDir,
    url,
    databaseUrl: database?.url ?? "",
    encryptionKey,
    ca: ca ?? "",
    adminKey: adminKey ?? "",
    rest,
    job,
    server: () => server,
    async restartServer(changes = {}) {
      server = runScript("src/main.ts", { ...env, ...changes });
      await server.line("ready https://");
    },
    async startReplica() {
      const replicaPort = String(await freePort());
      const own = {
        CERTCTL_DATA_DIR: join(directory, "replica"),
        CERTCTL_PORT: replicaPort,
        CERTCTL_SERVER_URL: url,
      };
      const replica = kept.use(runScript("src/main.ts", { ...env, ...own }));
      await replica.line("ready https://");
      return restClient({ url: `https://localhost:${replicaPort}`, ca: ca ?? "", apiKey: adminKey ?? "" });
    },
    async startAgent(id, { env: more = {}, isJoining = true } = {}) {
      const agentData = join(directory, id);
      const stateDir = join(agentData, "agent");
      await mkdir(stateDir, { recursive: true, mode: 0o700 });
      const isNew = isJoining && !(await readFile(join(stateDir, "identity.json")).catch(() => null));
      const token = isNew ? await ok(rest("POST", "/api/v1/join-tokens", { agent_id: id })) : null;
      const process = runScript("agent/main.ts", {
        CERTCTL_DATA_DIR: agentData,
        ...(token ? { CERTCTL_JOIN: token.join } : {}),
        ...more,
      });
      await process.line('{"level":30').then(() => connected(process));
      return {
        id,
        process,
        stateDir,
        allow: (host) => writeFile(join(stateDir, "agent.yaml"), stringify(host), { mode: 0o600 }),
        [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
      };
    },
    async declare({ agentId, entry, kind = "nginx", name, sans }) {
      await ok(
        rest("POST", "/api/v1/targets", {
          id: `tgt-${name}`,
          name,
          kind,
          agent_id: agentId,
          config: { entry },
        }),
      );
      const certificate = await ok(
        rest("POST", "/api/v1/certificates", {
          id: `mc-${name}`,
          name,
          common_name: sans?.[0] ?? `${name}.example.test`,
          sans: sans ?? [`${name}.example.test`],
          target_ids: [`tgt-${name}`],
        }),
      );
      return certificate.id;
    },
    async renew(certificateId) {
      const { job_id: id } = await ok(rest("POST", `/api/v1/certificates/${certificateId}/renew`, {}));
      return job(id, ({ outcome }) => outcome !== null);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
  const kept = parts.move();
  return system;
}

/** The agent's log says when it is connected. */
async function connected(process: TestProcess): Promise<void> {
  const deadline = Date.now() + 25_000;
  while (!process.said().includes('"msg":"connected"')) {
    if (Date.now() > deadline || process.child.exitCode !== null)
      throw new Error(`the agent did not connect:\n${process.said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What agent.yaml says for a real nginx. */
export function nginxEntry(nginx: Nginx) {
  return {
    kind: "nginx",
    directory: nginx.site,
    test: nginx.testArgv,
    reload: nginx.reloadArgv,
    endpoint: nginx.endpoint,
  };
}
