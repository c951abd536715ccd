import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { AgentWorkService } from "#gen/certctl/v1/agent_work_pb.ts";
import type { Log } from "../src/platform/log.ts";
import { StartupError } from "../src/platform/startup-error.ts";
import type { AgentConfig } from "./config.ts";
import {
  type Identity,
  joinControlPlane,
  lifeOf,
  newIdentityKey,
  readIdentity,
  storeIdentity,
} from "./identity.ts";
import type { WorkClient } from "./perform.ts";
import { type Link, openTransport } from "./transport.ts";
import { pinnedRoot } from "./trust.ts";

const callMs = 30_000;
/** How often the agent looks at the age of its identity. */
const identityCheckMs = 10_000;

/** The link to the control plane, replaced when the identity is renewed. */
export interface Connection extends AsyncDisposable {
  client(): WorkClient;
  transport(): Transport;
  abort(): void;
  /** Throws StartupError when the identity has expired: a machine that slept for days cannot renew it. */
  keepFresh(signal: AbortSignal): Promise<void>;
}

/** Connects as whom the agent is, or joins first. Throws StartupError when it has no way to become known. */
export async function connect(config: AgentConfig, log: Log, signal: AbortSignal): Promise<Connection> {
  const { introduction } = config;
  if (introduction.kind === "api_key") {
    const root = await reached(log, signal, () => pinnedRoot(introduction.server, introduction.pin, signal));
    const link = openTransport({
      server: introduction.server,
      rootsPem: [root],
      apiKey: introduction.apiKey,
    });
    const client = createClient(AgentWorkService, link.transport);
    return {
      ...link,
      client: () => client,
      transport: () => link.transport,
      async keepFresh() {},
      [Symbol.asyncDispose]: link[Symbol.asyncDispose],
    };
  }
  let identity = await identityOf(config, log, signal);
  let link = linkOf(config, identity);
  let client = createClient(AgentWorkService, link.transport);

  async function renew(): Promise<void> {
    const { keyPem, csrPem } = newIdentityKey();
    const { certificatePem, trustBundle } = await client.renewIdentity(
      { csrPem },
      { signal, timeoutMs: callMs },
    );
    identity = { ...identity, certificatePem, keyPem, rootsPem: trustBundle?.rootsPem ?? identity.rootsPem };
    await storeIdentity(config.stateDir, identity);
    const old = link;
    link = linkOf(config, identity);
    client = createClient(AgentWorkService, link.transport);
    // The stream reconnects over the new link; the work that goes on keeps its leases.
    old.abort();
    log.info({ notAfter: lifeOf(identity).notAfter }, "renewed the agent's identity");
  }

  return {
    client: () => client,
    transport: () => link.transport,
    abort: () => link.abort(),
    async keepFresh(until) {
      while (!until.aborted) {
        const { renewAt, notAfter } = lifeOf(identity);
        if (notAfter <= new Date()) throw nameless(identity);
        if (renewAt <= new Date()) {
          await renew().catch((error: Error) =>
            log.warn({ reason: error.message }, "the identity could not be renewed"),
          );
        }
        await delay(identityCheckMs, undefined, { signal: until }).catch(() => {});
      }
    },
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}

/** The identity on disk, or a new one by join token where that is missing or has expired. */
async function identityOf(config: AgentConfig, log: Log, signal: AbortSignal): Promise<Identity> {
  const kept = await readIdentity(config.stateDir);
  const isValid = kept !== null && lifeOf(kept).notAfter > new Date();
  if (isValid) return kept;
  const { introduction } = config;
  if (introduction.kind !== "join") throw nameless(kept);
  const identity = await reached(log, signal, () => joinControlPlane(config, introduction, signal));
  log.info({ agentId: identity.agentId }, "joined");
  return identity;
}

function nameless(expired: Identity | null): StartupError {
  const why = expired ? `the identity of ${expired.agentId} has expired` : "this agent has no identity yet";
  return new StartupError(
    `${why}; make a join token and start the agent with CERTCTL_JOIN or CERTCTL_JOIN_FILE`,
  );
}

/** Tries until the control plane is there: an agent may be started before it. What it refuses is final. */
async function reached<T>(log: Log, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      if (error instanceof StartupError) throw error;
      if (error instanceof ConnectError && error.code !== Code.Unavailable) {
        throw new StartupError(`the control plane refused this agent: ${error.rawMessage}`);
      }
      log.warn({ reason: text }, "the control plane cannot be reached; trying again");
      await delay(Math.min(10_000, 250 * 2 ** failures), undefined, { signal });
    }
  }
}

function linkOf(config: AgentConfig, identity: Identity): Link {
  const server = config.server ?? new URL(identity.server);
  return openTransport({ server, rootsPem: identity.rootsPem, certificate: identity });
}
