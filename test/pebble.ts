import { request } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { debian13Program } from "../scripts/debian13.ts";
import { makeChain } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { openScratch } from "./openssl.ts";
import { runProcess } from "./process.ts";

/** A real ACME CA on loopback. Its keys and what it knows end with it. */
export interface Pebble extends AsyncDisposable {
  directoryUrl: string;
  /** By which its TLS is verified. */
  ca: string;
  /** The roots that its certificates build to: one, and as many more as PEBBLE_ALTERNATE_ROOTS says. */
  roots: readonly string[];
  /** "Valid" or "Revoked", by a serial number in hexadecimal. */
  statusOf(serial: string): Promise<string>;
  log(): string;
  /** Where the records of its own name server are changed; empty with another name server. */
  namesUrl: string;
}

export interface PebbleOptions {
  /** 2.4 is Debian 12's, 2.6 is Debian 13's and knows ARI. */
  version?: "2.4" | "2.6";
  /** Where it looks for http-01. */
  httpPort?: number;
  /** Where it looks for tls-alpn-01. */
  tlsPort?: number;
  /** A name server that it asks instead of one that leads every name to 127.0.0.1. */
  dnsPort?: number;
  /** External account binding is asked for; HMAC keys by their ids. */
  eab?: Record<string, string>;
  env?: Record<string, string>;
  /** Certificates live as long. */
  validitySeconds?: number;
}

/** Starts Pebble; without sleeps, refused nonces and reuse of authorizations unless `env` says otherwise. */
export async function startPebble(options: PebbleOptions = {}): Promise<Pebble> {
  await using parts = new AsyncDisposableStack();
  const scratch = parts.use(await openScratch());
  const [port, managementPort, unused] = [await freePort(), await freePort(), await freePort()];
  const tls = makeChain({ sans: ["localhost"] });
  const names = options.dnsPort ? null : await startNames(parts);
  const dnsPort = options.dnsPort ?? names?.port;
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${managementPort}`,
      certificate: await scratch.file("pebble.pem", tls.leafPem + tls.intermediatePem),
      privateKey: await scratch.file("pebble.key", tls.keyPem),
      httpPort: options.httpPort ?? unused,
      tlsPort: options.tlsPort ?? unused,
      ocspResponderURL: "",
      externalAccountBindingRequired: options.eab !== undefined,
      externalAccountMACKeys: options.eab ?? {},
      certificateValidityPeriod: options.validitySeconds ?? 90 * 86_400,
    },
  };
  const file = await scratch.file("pebble.json", JSON.stringify(config));
  const program = options.version === "2.6" ? debian13Program("pebble") : "/usr/bin/pebble";
  const env = { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0", PEBBLE_AUTHZREUSE: "0", ...options.env };
  const pebble = parts.use(runProcess([program, "-config", file, "-dnsserver", `127.0.0.1:${dnsPort}`], env));
  const ca = tls.rootPem;

  async function get(url: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const call = request(url, { ca, agent: false }, (response) => text(response).then(resolve, reject));
    call.once("error", reject);
    call.end();
    return promise;
  }

  const management = `https://localhost:${managementPort}`;
  const directoryUrl = `https://localhost:${port}/dir`;
  await answers(() => get(directoryUrl), pebble.said);
  const count = 1 + Number(options.env?.["PEBBLE_ALTERNATE_ROOTS"] ?? 0);
  const roots = await Promise.all(
    Array.from({ length: count }, (_, index) => get(`${management}/roots/${index}`)),
  );
  const kept = parts.move();
  return {
    directoryUrl,
    ca,
    roots,
    async statusOf(serial) {
      const answer = await get(`${management}/cert-status-by-serial/${serial.toLowerCase()}`);
      return JSON.parse(answer).Status;
    },
    log: () => pebble.said(),
    namesUrl: names?.url ?? "",
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** A name server that leads every name to 127.0.0.1. */
async function startNames(parts: AsyncDisposableStack): Promise<{ port: number; url: string }> {
  const [port, management] = [await freePort(), await freePort()];
  const argv = ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", `127.0.0.1:${port}`];
  const off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", `127.0.0.1:${management}`];
  const names = parts.use(runProcess(["/usr/bin/pebble-challtestsrv", ...argv, ...off], {}));
  await names.says("Starting management server");
  return { port, url: `http://127.0.0.1:${management}` };
}

async function answers(call: () => Promise<unknown>, said: () => string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const isThere = await call().then(
      () => true,
      () => false,
    );
    if (isThere) return;
    if (Date.now() > deadline) throw new Error(`Pebble does not answer:\n${said()}`);
    await delay(20);
  }
}
