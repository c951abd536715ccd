import type { JsonObject } from "@bufbuild/protobuf";
import type { DeployCertificate, ObserveTarget } from "#gen/certctl/v1/agent_work_pb.ts";
import { targetByKind } from "../src/targets/registry.ts";
import { type Bundle, DeployError, type Proof } from "../src/targets/target.ts";
import type { Generations } from "./generations.ts";
import { loadHostFile } from "./host-file.ts";
import type { KeyStore } from "./keys.ts";

export interface DeployDeps {
  keys: KeyStore;
  generations: Generations;
  hostFilePath: string;
  /** Takes a key that the control plane made; null: the host's owner does not want that. */
  fetchKey: ((lease: { jobId: string; leaseId: string }) => Promise<string>) | null;
}

/** Puts a certificate in place with the key that was made here, and proves it. Throws DeployError. */
export async function deploy(
  deps: DeployDeps,
  { order, lease }: { order: DeployCertificate; lease: { jobId: string; leaseId: string } },
  progress: { signal: AbortSignal; step(name: string, message?: string): void },
): Promise<Proof> {
  const { keys, generations, hostFilePath } = deps;
  const target = targetByKind.get(order.kind);
  if (!target)
    throw new DeployError("config", `this agent knows no targets of the kind ${order.kind}; update it`);
  if (order.generation < generations.applied(order.targetId)) {
    throw new DeployError("config", "a newer deployment was applied to this target already");
  }
  const keyPem = await keys.read(order.keyId).catch(() => fetchKey(deps, order, lease));
  const host = await loadHostFile(hostFilePath);
  const bundle: Bundle = { ...order, keyPem };
  const config: JsonObject = order.config ?? {};
  const proof = await target.deploy(bundle, config, { ...progress, host });
  await generations.record(order.targetId, order.generation);
  return proof;
}

/** Takes over a key that the control plane made, for a demonstration. */
async function fetchKey(
  { keys, fetchKey: fetch }: DeployDeps,
  { keyId, isKeyOnServer }: DeployCertificate,
  lease: { jobId: string; leaseId: string },
): Promise<string> {
  if (!isKeyOnServer) throw new DeployError("match", `the key ${keyId} is not on this agent (any more)`);
  if (!fetch) {
    throw new DeployError(
      "match",
      "the control plane made this key, and this agent takes none: set CERTCTL_ACCEPT_SERVER_KEYS=true for a demonstration",
    );
  }
  await keys.keep(keyId, await fetch(lease));
  return keys.read(keyId);
}

/** What a target serves now: a SHA-256 in hexadecimal, or null for nothing. Throws DeployError when it cannot look. */
export async function observe(
  { hostFilePath }: DeployDeps,
  { kind, config }: ObserveTarget,
  signal: AbortSignal,
): Promise<string | null> {
  const target = targetByKind.get(kind);
  if (!target) throw new DeployError("config", `this agent knows no targets of the kind ${kind}; update it`);
  return target.served(config ?? {}, { signal, host: await loadHostFile(hostFilePath), step() {} });
}

/** Destroys a key that nothing needs any more, here and where targets hold it. One that is still live somewhere stays. */
export async function destroyKey(deps: DeployDeps, keyId: string, signal: AbortSignal): Promise<void> {
  const host = await loadHostFile(deps.hostFilePath);
  for (const target of targetByKind.values()) {
    const isGone = (await target.forget?.(keyId, { signal, host, step() {} })) ?? true;
    if (!isGone) return;
  }
  await deps.keys.destroy(keyId);
}
