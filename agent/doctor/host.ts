import { access } from "node:fs/promises";
import { targetByKind } from "../../src/targets/registry.ts";
import { DeployError } from "../../src/targets/target.ts";
import { loadHostFile, type OwnHostFile } from "../host-file.ts";
import { type Finding, failed, fine, warning } from "./finding.ts";

/** Whether agent.yaml can be used, and whether what its entries name is there. Runs no command. */
export async function checkHostFile(path: string, signal: AbortSignal): Promise<Finding[]> {
  let host: OwnHostFile;
  try {
    host = await loadHostFile(path);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return [failed("agent.yaml", error.message, "docs/configuration.md shows every line of it")];
  }
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere || host.targets.size === 0)
    return [
      warning(
        "agent.yaml",
        isThere ? `${path} has no targets` : `${path} is not there`,
        "nothing can be deployed on this host before it names a target",
      ),
    ];
  const directories = `writes to ${host.allowedDirectories.join(", ") || "nothing"}`;
  const findings: Finding[] = [
    fine(
      "agent.yaml",
      `${path} allows ${host.targets.size === 1 ? "1 target" : `${host.targets.size} targets`}; ${directories}`,
    ),
  ];
  for (const [entry, { kind }] of host.targets) findings.push(await checkEntry(entry, kind, host, signal));
  return findings;
}

async function checkEntry(
  entry: string,
  kind: string,
  host: OwnHostFile,
  signal: AbortSignal,
): Promise<Finding> {
  const subject = `entry ${entry}`;
  try {
    const target = targetByKind.get(kind);
    if (!target)
      return failed(subject, `this agent knows no targets of the kind ${kind}`, "update the agent");
    const { checks, served } = await target.inspect({ entry }, { signal, host, step() {} });
    const wrong = checks.filter(({ ok }) => !ok);
    if (wrong.length === 0)
      return fine(subject, `a deployment finds what it needs; serves ${served ?? "nothing"}`);
    const words = wrong.map(({ name, message }) => `${name}: ${message}`).join("; ");
    return failed(subject, words, "mend it on this host, then look again");
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return failed(subject, error.message, "mend the entry in agent.yaml");
  }
}
