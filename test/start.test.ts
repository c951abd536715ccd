import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { lifeOf, readIdentity } from "../agent/identity.ts";
import { later, movableClock } from "./faketime.ts";
import { type Machine, newMachine, typeCtrlC } from "./npm-start.ts";
import { leftOf } from "./processes-of.ts";

const execute = promisify(execFile);

const names = ["demo.localhost", "localhost", "127.0.0.1"];

test("npm start proves a sample that verifies against ca.pem, and the next start goes on from it", async () => {
  await using machine = await newMachine();
  const first = machine.npmStart();
  expect(await first.line("ready https://")).toBe(`ready https://localhost:${machine.port}`);
  const proven = await first.line("proven ");
  expect(proven).toContain(`https://localhost:${machine.demoPort} serves`);
  for (const step of ["key generated", "csr accepted", "issued", "written", "proven"])
    expect(first.said("stdout")).toMatch(new RegExp(`^ +[0-9.]+ s  ${step}`, "m"));

  const [systemRoot, issuingRoot] = await roots(machine);
  const serials = await Promise.all(names.map((name) => verified(machine, name, issuingRoot)));
  await expect(verified(machine, "localhost", systemRoot)).rejects.toThrow(/certificate/);

  expect((await stat(join(machine.dataDir, "admin.key"))).mode & 0o777).toBe(0o600);
  await expect(stat(join(machine.dataDir, "agent", "join"))).rejects.toThrow("ENOENT");
  const rest = await machine.rest();
  const { status, body } = await rest("GET", "/api/v1/certificates/mc-demo");
  expect({ status, ...body }).toMatchObject({ status: "Active", common_name: "demo.localhost", sans: names });
  expect(new Set([...serials, body.serial_number]).size).toBe(1);

  const logIn = (await first.line("  log in ")).replace(/^ +log in +/, "");
  const env = { PATH: process.env["PATH"] ?? "", HOME: `${machine.dataDir}.home` };
  const { stdout } = await execute("sh", ["-ec", `${logIn}; cli/certctl certs list`], { env });
  expect(stdout).toMatch(/^mc-demo +Sample +demo\.localhost +Active/m);

  typeCtrlC(first);
  expect(await leftOf(machine.dataDir)).toEqual([]);
  const second = machine.npmStart();
  expect(await second.line("proven ")).toBe(proven);
  expect(await verified(machine, "localhost", issuingRoot)).toBe(body.serial_number);
});

test("a start when the agent's identity has expired lets the same agent join again", async () => {
  await using machine = await newMachine();
  const first = machine.npmStart();
  await first.line("proven ");
  const before = await identityOf(machine);
  typeCtrlC(first);
  expect(await leftOf(machine.dataDir)).toEqual([]);

  const second = machine.npmStart(await later("+3 days"));
  await second.line("proven ");
  const after = await identityOf(machine);
  expect(before.agentId).toBe("ag-local");
  expect(after.agentId).toBe("ag-local");
  const days = (after.notAfter.getTime() - before.notAfter.getTime()) / 86_400_000;
  expect(days).toBeGreaterThan(2.9);
});

test("an agent whose identity expires while the machine sleeps joins again under the same id", async () => {
  await using machine = await newMachine();
  const clockFile = `${machine.dataDir}.clock`;
  const npm = machine.npmStart(await movableClock(clockFile));
  await npm.line("proven ");
  const rest = await machine.rest();
  const { body: before } = await rest("GET", "/api/v1/agents/ag-local");
  await writeFile(clockFile, "+3d");

  await npm.says("the identity of ag-local has expired");
  const isBack = async () => {
    const { body } = await rest("GET", "/api/v1/agents/ag-local");
    return body.identity_expires_at !== before.identity_expires_at && body.status === "Online";
  };
  await expect.poll(isBack, { timeout: 10_000 }).toBe(true);
  const { body: renewal } = await rest("POST", "/api/v1/certificates/mc-demo/renew", {});
  const outcome = async () => (await rest("GET", `/api/v1/jobs/${renewal.job_id}`)).body.outcome;
  await expect.poll(outcome, { timeout: 10_000 }).toBe("Proven");
});

/** Who the agent is. Its identity is read from disk: a clock of today takes the server's certificate for one to come. */
async function identityOf({ dataDir }: Machine): Promise<{ agentId: string; notAfter: Date }> {
  const identity = await readIdentity(join(dataDir, "agent"));
  if (!identity) throw new Error("the agent has no identity");
  return { agentId: identity.agentId, notAfter: lifeOf(identity).notAfter };
}

/** The system root and the issuing root, PEM. */
async function roots({ dataDir }: Machine): Promise<[string, string]> {
  const pem = await readFile(join(dataDir, "ca.pem"), "utf8");
  const [system = "", issuing = ""] = pem.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  expect(new X509Certificate(issuing).subject).toContain("issuing root");
  return [system, issuing];
}

/** A handshake with the sample that is verified as a browser does it. Returns the served serial. */
async function verified({ demoPort }: Machine, name: string, rootPem: string): Promise<string> {
  const isAddress = /^[0-9.]+$/.test(name);
  const socket = connect({
    host: "127.0.0.1",
    port: demoPort,
    ca: rootPem,
    ...(isAddress ? {} : { servername: name }),
  });
  try {
    await once(socket, "secureConnect");
    expect(socket.authorized).toBe(true);
    return socket.getPeerX509Certificate()?.serialNumber ?? "";
  } finally {
    socket.destroy();
  }
}
