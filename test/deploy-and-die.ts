import { text } from "node:stream/consumers";
import { hostFileSchema } from "../agent/host-file.ts";
import { targetByKind } from "../src/targets/registry.ts";

// Deploys what standard input says and kills itself right after the step that it names.
const { kind, config, hostFile, bundle, dieAt } = JSON.parse(await text(process.stdin));
await targetByKind.get(kind)?.deploy(bundle, config, {
  host: hostFileSchema.parse(hostFile),
  signal: new AbortController().signal,
  step: (name) => {
    if (name === dieAt) process.kill(process.pid, "SIGKILL");
  },
});
