import { join } from "node:path";
import { loadConfig } from "./config.ts";
import { systemClock } from "./platform/clock.ts";
import { createLog } from "./platform/log.ts";
import { runUntilStopped, untilAborted } from "./platform/process.ts";
import { allowSample, runAgentProcess } from "./sample/agent-process.ts";
import { openApi } from "./sample/api.ts";
import { declareSample, shortfall, tellStory } from "./sample/story.ts";
import { startWorkload } from "./sample/workload.ts";
import { startServer } from "./server.ts";
import { probe } from "./targets/probe.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** A whole certctl on one machine: control plane, one agent, and a workload whose certificate it keeps alive. */
await runUntilStopped(async (signal) => {
  const settings = loadConfig(process.env);
  const isLogWanted = process.env["CERTCTL_LOG_LEVEL"] !== undefined;
  const config = { ...settings, drainGraceMs: 0, logLevel: isLogWanted ? settings.logLevel : "warn" };
  const log = createLog(config.logLevel);
  const { dataDir } = config;
  say(`certctl starts; its data lies in ${dataDir}`);

  const directory = join(dataDir, "sample");
  await using server = await startServer({ config, clock: systemClock, log, signal });
  await using workload = await startWorkload({ port: config.demoPort, directory });
  const { url } = server.app;
  say(`ready ${url}`);
  const api = await openApi(url, dataDir);
  await allowSample(dataDir, directory, workload.port);
  await using _agent = await runAgentProcess({ dataDir, url, api, logLevel: config.logLevel, signal });

  const certificate = await declareSample(api);
  if (certificate) {
    say(`\nThe sample workload https://localhost:${workload.port} gets its certificate, ${certificate.id}:`);
    const job = await tellStory(api, certificate, say, signal);
    const failure = shortfall(job);
    if (failure) say(`not proven: ${failure}`);
    else say(`proven ${await seen(workload.port, signal)}`);
  }
  say(nextSteps(url, dataDir));
  const failed = await Promise.race([untilAborted(signal), server.failed]);
  if (failed) throw failed;
  say("certctl stops");
});

/** What a handshake with the sample shows at this moment. */
async function seen(port: number, signal: AbortSignal): Promise<string> {
  const { fingerprintSha256 } = await probe(`127.0.0.1:${port}`, {
    serverName: "demo.localhost",
    rootPem: null,
    signal,
  });
  return `https://localhost:${port} serves the certificate with SHA-256 ${fingerprintSha256}`;
}

function nextSteps(url: string, dataDir: string): string {
  const [ca, key] = [join(dataDir, "ca.pem"), join(dataDir, "admin.key")];
  return `
What next, in another terminal
  log in                 cli/certctl login ${url} --ca ${ca} < ${key}
  see the certificates   cli/certctl certs list
  renew the sample's     cli/certctl certs renew mc-demo --watch
  the same by REST       curl --cacert ${ca} -H "Authorization: Bearer $(cat ${key})" ${url}/api/v1/certificates
  the API's reference    ${url}/api/docs
  what the agent may do  ${join(dataDir, "agent", "agent.yaml")}
  stop                   Ctrl-C; the next start goes on from here
`;
}
