import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { watch } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { StartupError } from "../platform/startup-error.ts";
import { nameOf, newSerial, signCertificate, tbsCertificate } from "../x509/certificate.ts";
import { extendedKeyUsage, extendedKeyUsages, subjectAltName } from "../x509/extensions.ts";
import { spkiOf } from "../x509/keys.ts";
import { pem } from "../x509/pem.ts";

/** A small HTTPS server such as certctl keeps certificates for. */
export interface Workload extends AsyncDisposable {
  port: number;
}

/**
 * Serves the pair in `<directory>/current`, and a placeholder of its own until there is one. It looks at its files itself
 * when they change, so that nobody has to tell it to reload.
 */
export async function startWorkload({
  port,
  directory,
}: {
  port: number;
  directory: string;
}): Promise<Workload> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const server = createServer({ ...placeholder(), minVersion: "TLSv1.2" }, (_request, response) => {
    response.setHeader("content-type", "text/plain");
    response.end("The sample workload of certctl: look at this connection's certificate.\n");
  });

  async function load(): Promise<void> {
    const file = (name: string) => readFile(join(directory, "current", name), "utf8");
    try {
      const [cert, key] = await Promise.all([file("fullchain.pem"), file("privkey.pem")]);
      createSecureContext({ cert, key });
      server.setSecureContext({ cert, key, minVersion: "TLSv1.2" });
    } catch {
      // No pair, or one that does not fit: what is served stays.
    }
  }

  await load();
  const watcher = watch(directory, () => void load());
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (error) {
    watcher.close();
    const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw isTaken ? new StartupError(`port ${port} is taken; set CERTCTL_DEMO_PORT to another`) : error;
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      watcher.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A self-signed certificate that nobody trusts. */
function placeholder(): { cert: string; key: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = nameOf("placeholder");
  const now = Date.now();
  const tbs = tbsCertificate(
    {
      serial: newSerial(),
      issuer: name,
      subject: name,
      notBefore: new Date(now - 300_000),
      notAfter: new Date(now + 86_400_000),
      spki: spkiOf(privateKey),
      extensions: [
        extendedKeyUsages([extendedKeyUsage.serverAuth]),
        subjectAltName([{ type: "dns", value: "localhost" }], false),
      ],
    },
    privateKey,
  );
  return {
    cert: pem("CERTIFICATE", signCertificate(tbs, privateKey)),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
