import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { createDatabase } from "./database.ts";
import { freePort } from "./free-port.ts";
import { runScript, type TestProcess } from "./process.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { type RestAnswer, restClient } from "./rest.ts";
import { type SimulatedAgent, startSimulatedAgent } from "./simulated-agent.ts";
import { type MailServer, startMailServer } from "./smtp.ts";

export const dayMs = 86_400_000;
export const stepMs = dayMs / 8;
const days = 30;

/** Certificates that all goes well with, that people renew, and that cannot be renewed. */
export const healthy = ["h1", "h2", "h3", "h4"];
export const manual = ["m1", "m2"];
export const doomed = "d1";

/** What is left of a month: the database, and what was sent out. */
export interface Month {
  rows: Rows;
  mail: MailServer;
  hook: Receiver;
  /** The replicas that ran a task, by the task's name. */
  workers: Map<string, Set<string>>;
  /** Certificates that were found expired on the way: "mc-d1 on day 10". */
  expired: string[];
}

type Rows = <Row>(sql: string, values?: unknown[]) => Promise<Row[]>;

/**
 * Runs two control planes over one database through a month, on a clock that stands in a file. One of them is killed in the
 * middle and replaced. What is started ends with `parts`.
 */
export async function runMonth(parts: AsyncDisposableStack): Promise<Month> {
  const directory = await mkdtemp(join(tmpdir(), "certctl-month-"));
  parts.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const { url: databaseUrl } = parts.use(await createDatabase());
  const mail = parts.use(await startMailServer({ security: "starttls" }));
  const hook = parts.use(await startReceiver());
  const clockFile = join(directory, "clock");
  const start = new Date(Math.floor(Date.now() / 1000) * 1000);
  let now = start;
  const setClock = (to: Date) => {
    now = to;
    // Whole at once: a control plane may read it at any moment.
    return writeFile(clockFile, String(to.getTime()).padStart(16, "0"));
  };
  await setClock(start);

  const encryptionKey = randomBytes(32).toString("base64");
  const ports = [await freePort(), await freePort()];
  const replica = async (index: number): Promise<TestProcess> => {
    const env = {
      CERTCTL_DATA_DIR: join(directory, `replica-${index}`),
      CERTCTL_PORT: String(ports[index]),
      CERTCTL_SERVER_URL: `https://localhost:${ports[0]}`,
      CERTCTL_DRAIN_GRACE: "0",
      CERTCTL_LOG_LEVEL: "error",
      CERTCTL_RATE_LIMIT: "0",
      CERTCTL_RENEWAL_JITTER_SECONDS: "7200",
      CERTCTL_EGRESS_ALLOW: "127.0.0.0/8,::1/128",
      DATABASE_URL: databaseUrl,
      CERTCTL_CONFIG_ENCRYPTION_KEY: encryptionKey,
    };
    const started = runScript("test/simulated-replica.ts", env, [clockFile]);
    await started.line("ready https://");
    return started;
  };
  const replicas = [await replica(0), await replica(1)];
  parts.defer(async () => {
    for (const each of replicas) await each.end("SIGKILL");
  });
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  parts.defer(() => database.end());
  const rows: Rows = async (sql, values = []) => (await database.query(sql, values)).rows;
  const month: Month = { rows, mail, hook, workers: new Map(), expired: [] };

  const urls = ports.map((port) => `https://localhost:${port}`);
  const dataDir = join(directory, "replica-0");
  const [ca = "", apiKey = ""] = await Promise.all(
    ["ca.pem", "admin.key"].map(async (name) => (await readFile(join(dataDir, name), "utf8")).trim()),
  );
  const rest = restClient({ url: urls[0] ?? "", ca, apiKey });
  const agents = await declare(rest, urls, month);
  for (const agent of agents) parts.use(agent);
  await settle(rows, now);

  for (const agent of agents) agent.refusing.add(`mc-${doomed}`);
  const steps = (days * dayMs) / stepMs;
  for (let step = 1; step <= steps; step += 1) {
    if (step === steps / 2) {
      await replicas[1]?.end("SIGKILL");
      replicas[1] = await replica(1);
    }
    await setClock(new Date(start.getTime() + step * stepMs));
    await database.query("SELECT pg_notify('certctl_schedule', '')");
    await settle(rows, now);
    await look(month, now, Math.floor((step * stepMs) / dayMs));
  }
  return month;
}

/** Two agents, one at each control plane, with what they are to keep alive. */
async function declare(
  rest: (method: string, path: string, body?: unknown) => Promise<RestAnswer>,
  urls: string[],
  { mail, hook }: Month,
): Promise<SimulatedAgent[]> {
  const call = async (path: string, body: object) => {
    const { status, body: answer } = await rest("POST", `/api/v1/${path}`, body);
    if (status >= 300) throw new Error(`${path}: HTTP ${status} ${JSON.stringify(answer)}`);
    return answer;
  };
  const webhook = { url: hook.url, secret: "a secret of the receiver", ca: hook.ca };
  await call("notifiers", { id: "nf-hook", name: "hook", kind: "webhook", config: webhook });
  const post = { host: "localhost", port: mail.port, from: "certctl@example.com", ca: mail.ca };
  await call("notifiers", {
    id: "nf-post",
    name: "post",
    kind: "email",
    config: post,
    default_recipient: "ops@example.com",
  });
  const channels = (thresholds: number[]) =>
    ["nf-hook", "nf-post"].map((notifier_id) => ({
      notifier_id,
      thresholds_days: thresholds,
      events: ["CertificateIssued", "RenewalFailed", "PolicyViolation"],
    }));
  await call("renewal-policies", {
    id: "rp-auto",
    name: "auto",
    alert_thresholds_days: [3, 1, 0],
    channels: channels([3, 1, 0]),
  });
  await call("renewal-policies", {
    id: "rp-manual",
    name: "manual",
    auto_renew: false,
    alert_thresholds_days: [14, 7, 3, 0],
    channels: channels([14, 7, 3, 0]),
  });
  await call("policies", {
    id: "pr-short",
    name: "short-lived",
    type: "CertificateLifetime",
    config: { max_days: 15 },
  });
  const agents: SimulatedAgent[] = [];
  for (const [index, url] of urls.entries()) {
    const { id, api_key: apiKey } = await call("agents", { id: `ag-${index}`, name: `agent ${index}` });
    agents.push(startSimulatedAgent(url, apiKey));
    await call("targets", {
      id: `tgt-${index}`,
      name: `target ${index}`,
      kind: "files",
      agent_id: id,
      config: { entry: "site" },
    });
  }
  const certificate = async (name: string, index: number, more: object) => {
    const wanted = {
      id: `mc-${name}`,
      name,
      common_name: `${name}.example.test`,
      target_ids: [`tgt-${index}`],
      ...more,
    };
    await call("certificates", wanted);
    await call(`certificates/mc-${name}/renew`, {});
  };
  const tenDays = { validity_seconds: 10 * 86_400, renewal_policy_id: "rp-auto" };
  for (const [index, name] of healthy.entries()) await certificate(name, index % 2, tenDays);
  for (const [index, name] of manual.entries())
    await certificate(name, index % 2, { validity_seconds: 20 * 86_400, renewal_policy_id: "rp-manual" });
  await certificate(doomed, 0, tenDays);
  return agents;
}

/** Waits until nothing is left to do as of now: no task, no job, no notification. */
async function settle(rows: Rows, now: Date): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const [left] = await rows<Record<"tasks" | "jobs" | "notifications", number>>(
      `SELECT
        (SELECT count(*)::int FROM scheduled_tasks WHERE next_run_at <= $1 OR lease_expires_at > now()) AS tasks,
        (SELECT count(*)::int FROM jobs WHERE status IN ('Pending', 'AwaitingCSR', 'Running') AND run_after <= $1) AS jobs,
        (SELECT count(*)::int FROM notification_events WHERE status IN ('pending', 'failed') AND next_attempt_at <= $1)
          AS notifications`,
      [now],
    );
    if (left && left.tasks + left.jobs + left.notifications === 0) return;
    if (Date.now() > deadline)
      throw new Error(`on ${now.toISOString()} there is left: ${JSON.stringify(left)}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** Notes who did what, and what has died. */
async function look({ rows, workers, expired }: Month, now: Date, day: number): Promise<void> {
  for (const { name, replica } of await rows<{ name: string; replica: string }>(
    "SELECT name, replica_id AS replica FROM scheduled_tasks",
  )) {
    workers.set(name, (workers.get(name) ?? new Set()).add(replica));
  }
  const dead = await rows<{ id: string }>(
    `SELECT certificate_id AS id FROM certificate_versions GROUP BY 1 HAVING max(not_after) <= $1`,
    [now],
  );
  for (const { id } of dead) expired.push(`${id} on day ${day}`);
}
