import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { makeChain } from "./certificates.ts";

/** A mail as it arrived. */
export interface Mail {
  from: string;
  to: string[];
  /** Headers and body, as sent. */
  raw: string;
  isEncrypted: boolean;
  user: string;
}

/** A real SMTP server on loopback. */
export interface MailServer extends AsyncDisposable {
  port: number;
  /** PEM of the CA that vouches for "localhost". */
  ca: string;
  mails: Mail[];
  /** Set: the next mails are refused with these words. */
  refusal: string;
  stop(): Promise<void>;
  /** Starts again on the same port. */
  start(): Promise<void>;
}

export const mailUser = { username: "certctl", password: "a mail password" };

export async function startMailServer(
  options: { security: "starttls" | "tls" | "none"; isAuthenticated?: boolean; sans?: string[] } = {
    security: "starttls",
  },
): Promise<MailServer> {
  const chain = makeChain({ sans: options.sans ?? ["localhost"] });
  const mails: Mail[] = [];
  let server: SMTPServer | undefined;

  async function start(): Promise<void> {
    server = new SMTPServer({
      secure: options.security === "tls",
      cert: chain.leafPem + chain.intermediatePem,
      key: chain.keyPem,
      authOptional: !options.isAuthenticated,
      disabledCommands: [
        ...(options.isAuthenticated ? [] : ["AUTH"]),
        ...(options.security === "none" ? ["STARTTLS"] : []),
      ],
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth({ username, password }, _session, callback) {
        const isRight = username === mailUser.username && password === mailUser.password;
        callback(
          isRight ? null : new Error("authentication failed"),
          isRight ? { user: username } : undefined,
        );
      },
      onData(stream, session, callback) {
        const parts: Buffer[] = [];
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.on("end", () => {
          if (mailServer.refusal !== "") {
            callback(Object.assign(new Error(mailServer.refusal), { responseCode: 451 }));
            return;
          }
          const { mailFrom, rcptTo } = session.envelope;
          mails.push({
            from: mailFrom ? mailFrom.address : "",
            to: rcptTo.map(({ address }) => address),
            raw: Buffer.concat(parts).toString(),
            isEncrypted: session.secure,
            user: session.user ? String(session.user) : "",
          });
          callback(null, "queued as 42");
        });
      },
    });
    server.on("error", () => {});
    server.listen(mailServer.port, "127.0.0.1");
    await once(server.server, "listening");
    mailServer.port = (server.server.address() as AddressInfo).port;
  }

  async function stop(): Promise<void> {
    const running = server;
    server = undefined;
    if (running) await new Promise<void>((resolve) => running.close(() => resolve()));
  }

  const mailServer: MailServer = {
    port: 0,
    ca: chain.rootPem,
    mails,
    refusal: "",
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
  await start();
  return mailServer;
}
