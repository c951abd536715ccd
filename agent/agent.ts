import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { DemoKeyService } from "#gen/certctl/v1/demo_keys_pb.ts";
import { lockDirectory } from "../src/platform/directory-lock.ts";
import type { Log } from "../src/platform/log.ts";
import { targets } from "../src/targets/registry.ts";
import { keyAlgorithms } from "../src/x509/keys.ts";
import { openChallenges } from "./challenges.ts";
import type { AgentConfig } from "./config.ts";
import { stayConnected } from "./connection.ts";
import { type DeployDeps, destroyKey } from "./deploy.ts";
import { openGenerations } from "./generations.ts";
import { hostReport } from "./host-report.ts";
import { openKeyStore } from "./keys.ts";
import { connect } from "./link.ts";
import { openOutbox } from "./outbox.ts";
import { inspectTarget } from "./probe.ts";
import { openWitness } from "./witness.ts";
import { createWorkshop } from "./workshop.ts";

const version = "0.1.0";
const callMs = 30_000;

/** Runs an agent until the signal fires. Throws StartupError when it has no way, or none any more, to become known. */
export async function runAgent(
  config: AgentConfig,
  { log, signal: stop, onConnected }: { log: Log; signal: AbortSignal; onConnected: () => void },
): Promise<void> {
  const expiry = new AbortController();
  const signal = AbortSignal.any([stop, expiry.signal]);
  await mkdir(config.stateDir, { recursive: true, mode: 0o700 });
  const keys = await openKeyStore(config.keyDir);
  await using _lock = await lockDirectory(config.keyDir);
  await using connection = await connect(config, log, signal);
  const outbox = await openOutbox({
    directory: join(config.stateDir, "outbox"),
    send: (result) => connection.client().reportResult(result, { signal, timeoutMs: callMs }),
    log,
    signal,
  });
  const deploying: DeployDeps = {
    keys,
    generations: await openGenerations(config.stateDir),
    hostFilePath: config.hostFilePath,
    fetchKey: config.acceptServerKeys
      ? async ({ jobId, leaseId }) => {
          const client = createClient(DemoKeyService, connection.transport());
          return (await client.fetchKey({ jobId, leaseId }, { signal, timeoutMs: callMs })).privateKeyPem;
        }
      : null,
  };
  await using challenges = await openChallenges({
    hostFilePath: config.hostFilePath,
    stateDir: config.stateDir,
  });
  const workshop = createWorkshop({ ...deploying, client: connection.client, outbox, log });
  const renewing = connection.keepFresh(signal);
  renewing.catch((error) => expiry.abort(error));
  await stayConnected(
    {
      client: connection.client,
      abortConnection: connection.abort,
      workshop,
      flush: outbox.flush,
      keyIds: keys.list,
      async destroyKeys(keyIds) {
        for (const keyId of keyIds) await destroyKey(deploying, keyId, signal);
      },
      witness: await openWitness(config.stateDir, log),
      host: () => hostReport(config.hostFilePath),
      inspect: (probe, limit) => inspectTarget(config.hostFilePath, probe, limit),
      answerChallenge: challenges.answer,
      hostname: config.hostname,
      version,
      capabilities: [
        ...keyAlgorithms.map((name) => `csr.${name.toLowerCase()}`),
        ...targets.map(({ kind }) => `target.${kind}/1`),
        "probe/1",
        "acme/1",
      ],
      onConnected,
      log,
    },
    signal,
  );
  await workshop.stop();
  await renewing;
}
