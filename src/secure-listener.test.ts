import { once } from "node:events";
import { connect } from "node:tls";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { Authorities } from "./authorities/authority.ts";
import { makeAuthority } from "./authorities/authority.ts";
import { startSecureListener } from "./secure-listener.ts";

const dayMs = 86_400_000;

test("the server's certificate is replaced at half of its life, without a restart and without cutting connections", async () => {
  let now = new Date();
  const authorities = systemAuthorities(now);
  const listener = await startSecureListener({
    config: { port: 0, listenAddress: "127.0.0.1", serverUrl: new URL("https://certctl.example.test:8443") },
    authorities,
    clock: () => now,
    log: pino({ level: "silent" }),
    handler: (_request, response) => void response.end("still here"),
  });
  const first = await open(listener.port, authorities);
  expect(first.names).toContain("DNS:certctl.example.test");

  now = new Date(now.getTime() + 3 * dayMs);
  listener.refresh();
  const early = await open(listener.port, authorities);
  expect(early.serial).toBe(first.serial);

  now = new Date(now.getTime() + dayMs);
  listener.refresh();
  const late = await open(listener.port, authorities);
  expect(late.serial).not.toBe(first.serial);
  expect(await first.ask()).toContain("still here");
  for (const { close } of [first, early, late]) close();
  await listener.close(0, () => {});
});

function systemAuthorities(now: Date): Authorities {
  const trustDomain = "certctl-test.internal";
  const root = makeAuthority({ id: "ca-root", role: "system-root", parent: null, trustDomain, now });
  const make = (role: "server-ca" | "agent-ca") =>
    makeAuthority({ id: `ca-${role}`, role, parent: root, trustDomain, now });
  const byRole = { "system-root": root, "server-ca": make("server-ca"), "agent-ca": make("agent-ca") };
  return { trustDomain, byRole } as Authorities;
}

async function open(port: number, { byRole }: Authorities) {
  const ca = byRole["system-root"].certificate.toString();
  // The clock of the test runs ahead of the dates that TLS would check.
  const socket = connect({
    port,
    host: "127.0.0.1",
    servername: "certctl.example.test",
    ca,
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerX509Certificate();
  return {
    serial: certificate?.serialNumber,
    names: certificate?.subjectAltName,
    close: () => socket.destroy(),
    async ask(): Promise<string> {
      socket.write("GET / HTTP/1.1\r\nhost: certctl.example.test\r\n\r\n");
      const [answer] = await once(socket, "data");
      return String(answer);
    },
  };
}
