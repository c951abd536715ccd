import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { minimalEnvironment } from "../src/platform/program.ts";
import { freePort } from "./free-port.ts";
import { makeSite } from "./site.ts";

/** A real nginx on loopback that serves `<directory>/site/current`. */
export interface Nginx extends AsyncDisposable {
  /** `127.0.0.1:port`, TLS. */
  endpoint: string;
  /** What agent.yaml calls `directory`; a self-signed placeholder is current at first. */
  site: string;
  /** nginx's check of its configuration. */
  testArgv: [string, ...string[]];
  reloadArgv: [string, ...string[]];
  /** nginx.conf, for tests that spoil it. */
  configFile: string;
  stop(): Promise<void>;
}

const install = "apt-get update && apt-get install -y --no-install-recommends nginx-light";
const attempts = 5;

/** Starts nginx in a directory of its own, in the foreground and as a child. It is up when this resolves. */
export async function startNginx({ directory }: { directory: string }): Promise<Nginx> {
  const site = join(directory, "site");
  await makeSite(site);
  const configFile = join(directory, "nginx.conf");
  const argv: [string, ...string[]] = ["nginx", "-e", "stderr", "-p", directory, "-c", configFile];
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await writeFile(configFile, configuration(port, site));
    const { child, problem } = await start(argv);
    if (problem === null) {
      const stop = () => end(child);
      return {
        endpoint: `127.0.0.1:${port}`,
        site,
        configFile,
        testArgv: [...argv, "-t"],
        reloadArgv: [...argv, "-s", "reload"],
        stop,
        [Symbol.asyncDispose]: stop,
      };
    }
    // Somebody else may have taken the port since it was found free.
    if (attempt === attempts || !problem.includes("Address already in use")) throw new Error(problem);
  }
}

function configuration(port: number, site: string): string {
  return `
daemon off;
worker_processes 2;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path tmp-body;
  proxy_temp_path tmp-proxy;
  fastcgi_temp_path tmp-fastcgi;
  uwsgi_temp_path tmp-uwsgi;
  scgi_temp_path tmp-scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate ${site}/current/fullchain.pem;
    ssl_certificate_key ${site}/current/privkey.pem;
    location / { return 200 "served\\n"; }
  }
}
`;
}

/** Answers when the first worker runs, or with what nginx said when it ended instead. */
async function start(argv: [string, ...string[]]): Promise<{ child: ChildProcess; problem: string | null }> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { env: minimalEnvironment, stdio: ["ignore", "ignore", "pipe"] });
  await once(child, "spawn").catch(() => {
    throw new Error(`nginx is not installed: ${install}`);
  });
  let said = "";
  for await (const line of createInterface({ input: child.stderr })) {
    said += `${line}\n`;
    if (line.includes("start worker process ")) {
      child.stderr.resume();
      return { child, problem: null };
    }
  }
  return { child, problem: `nginx did not start: ${said}` };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
