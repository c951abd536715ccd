import { DeployError } from "../src/targets/target.ts";
import { loadHostFile } from "./host-file.ts";

/** What the control plane is told of agent.yaml: names, kinds and endpoints. */
export interface HostSaying {
  entries: { name: string; kind: string; endpoint: string }[];
  /** Why the file is refused; empty while it is not. */
  problem: string;
}

const mostEntries = 500;
const mostWords = 4_096;

/** Reads agent.yaml as it is now. */
export async function hostReport(path: string): Promise<HostSaying> {
  try {
    const { targets } = await loadHostFile(path);
    const entries = Array.from(targets, ([name, entry]) => ({
      name,
      kind: entry.kind,
      endpoint: "endpoint" in entry && typeof entry.endpoint === "string" ? entry.endpoint : "",
    }));
    return { entries: entries.slice(0, mostEntries), problem: "" };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return { entries: [], problem: error.message.slice(0, mostWords) };
  }
}
