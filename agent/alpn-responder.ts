import { generateKeyPairSync } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, createServer, type SecureContext, type TLSSocket } from "node:tls";
import { acmeIdentifierCertificate, reverseName } from "../src/x509/acme-identifier.ts";
import { type Listening, shareListener } from "./shared-listener.ts";

const protocol = "acme-tls/1";

/** Answers tls-alpn-01 (RFC 8737) on a port that is open while a challenge is. It speaks nothing else there. */
export function createAlpnResponder(): {
  /** Returns how to take the answer away. */
  publish(
    listen: string,
    challenge: { identifier: string; keyAuthorization: string },
  ): Promise<() => Promise<void>>;
} {
  const contexts = new Map<string, SecureContext>();
  const open = shareListener((): Listening => {
    const sockets = new Set<TLSSocket>();
    const server = createServer({
      ALPNProtocols: [protocol],
      handshakeTimeout: 10_000,
      SNICallback(name, done) {
        const context = contexts.get(name.toLowerCase());
        done(context ? null : new Error(`no challenge is open for ${name}`), context);
      },
    });
    server.on("secureConnection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => sockets.delete(socket));
      socket.end();
    });
    return {
      server,
      end() {
        for (const socket of sockets) socket.destroy();
      },
    };
  });
  return {
    async publish(listen, { identifier, keyAuthorization }) {
      const { privateKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const context = createSecureContext({
        key: key.export({ type: "pkcs8", format: "pem" }),
        cert: acmeIdentifierCertificate(key, { identifier, keyAuthorization, now: new Date() }),
      });
      const name = isIP(identifier) === 0 ? identifier : reverseName(identifier);
      contexts.set(name, context);
      const withdraw = () => {
        if (contexts.get(name) === context) contexts.delete(name);
      };
      const close = await open(listen).catch((error: unknown) => {
        withdraw();
        throw error;
      });
      return async () => {
        withdraw();
        await close();
      };
    },
  };
}
