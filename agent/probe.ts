import type { ProbeTarget } from "#gen/certctl/v1/agent_work_pb.ts";
import { targetByKind } from "../src/targets/registry.ts";
import { type Check, DeployError, type Inspection } from "../src/targets/target.ts";
import { loadHostFile } from "./host-file.ts";

/** Whether a deployment to a target would find what it needs here. Never throws for what is missing. */
export async function inspectTarget(
  hostFilePath: string,
  { kind, config }: Pick<ProbeTarget, "kind" | "config">,
  signal: AbortSignal,
): Promise<Inspection> {
  const target = targetByKind.get(kind);
  const failed = (name: string, message: string): Inspection => {
    const check: Check = { name, ok: false, message };
    return { checks: [check], served: null };
  };
  if (!target) return failed("kind", `this agent knows no targets of the kind ${kind}; update it`);
  try {
    const host = await loadHostFile(hostFilePath);
    return await target.inspect(config ?? {}, { signal, host, step() {} });
  } catch (error) {
    if (error instanceof DeployError) return failed(error.step, error.message);
    throw error;
  }
}
