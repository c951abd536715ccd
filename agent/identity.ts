import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { z } from "zod";
import { AgentWorkService } from "#gen/certctl/v1/agent_work_pb.ts";
import { writeAtomically } from "../src/platform/data-dir.ts";
import { makeCsr } from "../src/x509/csr.ts";
import { pem } from "../src/x509/pem.ts";
import type { AgentConfig } from "./config.ts";
import { openTransport } from "./transport.ts";
import { pinnedRoot } from "./trust.ts";

const stored = z.object({
  agentId: z.string(),
  server: z.string(),
  certificatePem: z.string(),
  keyPem: z.string(),
  rootsPem: z.array(z.string()),
});

/** Who this agent is: a client certificate, its key, and the roots by which it knows the control plane. */
export type Identity = z.infer<typeof stored>;

const callMs = 30_000;

const pathOf = (stateDir: string) => join(stateDir, "identity.json");

/** The identity on disk, or null. One file, so that key and certificate always belong together. */
export async function readIdentity(stateDir: string): Promise<Identity | null> {
  const text = await readFile(pathOf(stateDir), "utf8").catch(() => null);
  if (text === null) return null;
  const read = stored.safeParse(JSON.parse(text));
  return read.success ? read.data : null;
}

export async function storeIdentity(stateDir: string, identity: Identity): Promise<void> {
  await writeAtomically(pathOf(stateDir), JSON.stringify(identity), 0o600);
}

/** When the identity ends, and when it is to be replaced: at half of its life. */
export function lifeOf({ certificatePem }: Identity): { renewAt: Date; notAfter: Date } {
  const { validFrom, validTo } = new X509Certificate(certificatePem);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return { renewAt: new Date((from + to) / 2), notAfter: new Date(to) };
}

/** A new key and a CSR over it; the control plane names the agent itself. */
export function newIdentityKey(): { keyPem: string; csrPem: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    csrPem: pem("CERTIFICATE REQUEST", makeCsr(privateKey, "", [])),
  };
}

/**
 * Trades a join token for an identity and stores it. The token is sent only to the server that the pin vouches for. The
 * key is kept from one try to the next, so that a token whose answer was lost still works.
 */
export async function joinControlPlane(
  config: AgentConfig,
  introduction: { server: URL; token: string; pin: string },
  signal: AbortSignal,
): Promise<Identity> {
  const { token, pin } = introduction;
  const server = config.server ?? introduction.server;
  const root = await pinnedRoot(server, pin, signal);
  const { keyPem, csrPem } = await joiningKey(config.stateDir);
  await using link = openTransport({ server, rootsPem: [root] });
  const client = createClient(AgentWorkService, link.transport);
  const answer = await client.enroll(
    { token, csrPem, name: config.name, hostname: config.hostname },
    { signal, timeoutMs: callMs },
  );
  const identity: Identity = {
    agentId: answer.agentId,
    server: server.href,
    certificatePem: answer.certificatePem,
    keyPem,
    rootsPem: answer.trustBundle?.rootsPem ?? [root],
  };
  await storeIdentity(config.stateDir, identity);
  await rm(joiningKeyPath(config.stateDir));
  return identity;
}

const joiningKeyPath = (stateDir: string) => join(stateDir, "joining.key");

async function joiningKey(stateDir: string): Promise<{ keyPem: string; csrPem: string }> {
  const path = joiningKeyPath(stateDir);
  const kept = await readFile(path, "utf8").catch(() => null);
  if (kept !== null) {
    return { keyPem: kept, csrPem: pem("CERTIFICATE REQUEST", makeCsr(createPrivateKey(kept), "", [])) };
  }
  const made = newIdentityKey();
  await writeAtomically(path, made.keyPem, 0o600);
  return made;
}
