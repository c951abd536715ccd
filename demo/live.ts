import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "@connectrpc/connect";
import { AgentWorkService, type WorkItem } from "#gen/certctl/v1/agent_work_pb.ts";
import { openTransport } from "../agent/transport.ts";
import { keyAlgorithmWords } from "../src/certificates/filter-message.ts";
import type { Database } from "../src/platform/database.ts";
import type { Log } from "../src/platform/log.ts";
import { makeCsr } from "../src/x509/csr.ts";
import { parseSan } from "../src/x509/names.ts";
import { pem } from "../src/x509/pem.ts";
import { agents } from "./estate.ts";
import { deploymentSteps, servedBy } from "./fleet.ts";
import { newKey } from "./keys.ts";

export interface LiveOptions {
  url: string;
  rootsPem: string;
  /** API keys by agent. */
  keys: Readonly<Record<string, string>>;
  db: Database;
  log: Log;
}

type Work = Client<typeof AgentWorkService>;

const pauseMs = 1_000;
const capabilities = ["target.nginx/1", "target.files/1"];

/** Keeps the agents of the demo at work over the API, as their hosts would: what they say of servers is made up. */
export function startFleet(options: LiveOptions): AsyncDisposable {
  const stop = new AbortController();
  const running = agents
    .filter(({ id, silentFrom }) => silentFrom === undefined && options.keys[id] !== undefined)
    .map(({ id, hostname }) => stayConnected(options, id, hostname, stop.signal));
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(running);
    },
  };
}

async function stayConnected(
  options: LiveOptions,
  id: string,
  hostname: string,
  signal: AbortSignal,
): Promise<void> {
  const { url, rootsPem, keys, log } = options;
  const apiKey = keys[id] ?? "";
  while (!signal.aborted) {
    await using link = openTransport({ server: new URL(url), rootsPem: [rootsPem], apiKey });
    const client = createClient(AgentWorkService, link.transport);
    try {
      await work(options, client, { id, hostname }, signal);
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, agent: id }, "a demo agent lost its stream");
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

async function work(
  { db, log }: LiveOptions,
  client: Work,
  { id, hostname }: { id: string; hostname: string },
  signal: AbortSignal,
): Promise<void> {
  const hello = { instanceId: randomUUID(), protocolMin: 1, protocolMax: 1, maxInFlight: 4 };
  let beat: NodeJS.Timeout | undefined;
  try {
    const request = { ...hello, agentVersion: "0.1.0", hostname, capabilities };
    for await (const { message } of client.workStream(request, { signal })) {
      if (message.case === "welcome") {
        const { epoch, heartbeatIntervalMs } = message.value;
        beat = setInterval(() => {
          client.heartbeat({ agentId: id, epoch }).catch((error) => log.warn({ err: error }, "no heartbeat"));
        }, heartbeatIntervalMs);
      }
      if (message.case === "drain") return;
      if (message.case === "work")
        void perform(db, client, message.value).catch((error) =>
          log.warn({ err: error, agent: id }, "demo work failed"),
        );
    }
  } finally {
    clearInterval(beat);
  }
}

async function perform(db: Database, client: Work, { jobId, leaseId, spec }: WorkItem): Promise<void> {
  const job = { jobId, leaseId };
  if (spec.case === "generateCsr") {
    const algorithm = keyAlgorithmWords.text(spec.value.keyAlgorithm);
    await client.reportProgress({
      ...job,
      steps: [{ step: "key_generated", message: `${algorithm}, kept on this agent` }],
    });
    const csr = makeCsr(newKey(algorithm), spec.value.commonName, spec.value.sans.map(parseSan));
    await client.submitCsr({ ...job, csrPem: pem("CERTIFICATE REQUEST", csr) });
  } else if (spec.case === "deploy") {
    const value = { servedFingerprintSha256: spec.value.fingerprintSha256 };
    await client.reportResult({ ...job, result: { case: "succeeded", value }, steps: deploymentSteps });
  } else if (spec.case === "observe") {
    const value = { servedFingerprintSha256: await servedBy(db, spec.value.certificateId) };
    await client.reportResult({ ...job, result: { case: "observed", value } });
  }
}
