import { once } from "node:events";
import type { Socket } from "node:net";

/** How a server is asked for TLS: `tls` at once, the others in their own words first (RFC 3207, 9051, 2595, PostgreSQL 54.2.10). */
export const protocols = ["tls", "smtp", "imap", "pop3", "postgres"] as const;
export type Protocol = (typeof protocols)[number];

const mostWords = 8_192;
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Has the server on this connection begin TLS. Throws in the server's words when it does not. */
export async function askForTls(socket: Socket, protocol: Exclude<Protocol, "tls">): Promise<void> {
  const say = async (words: string | Buffer, isWhole: RegExp): Promise<string> => {
    if (words.length > 0) socket.write(words);
    return hear(socket, isWhole);
  };
  if (protocol === "smtp") {
    expect(await say("", smtpReply), /^220/);
    expect(await say("EHLO localhost\r\n", smtpReply), /^250[ -]STARTTLS\r?$/im, "offers no STARTTLS");
    expect(await say("STARTTLS\r\n", smtpReply), /^220/);
  } else if (protocol === "imap") {
    expect(await say("", /\n$/), /^\* (?:OK|PREAUTH)/i);
    expect(await say("a STARTTLS\r\n", /^a .*\r?\n$/m), /^a OK/im, "does not begin TLS");
  } else if (protocol === "pop3") {
    expect(await say("", /\n$/), /^\+OK/);
    expect(await say("STLS\r\n", /\n$/), /^\+OK/, "does not begin TLS");
  } else expect(await say(sslRequest, /^[SNE]/), /^S$/, "does not begin TLS");
}

const smtpReply = /^[0-9]{3} .*\r?\n$/m;

function expect(said: string, wanted: RegExp, problem = "is not ready"): void {
  if (!wanted.test(said)) throw new Error(`the server ${problem}; it said: ${said.trim()}`);
}

/** What the server says, up to a whole answer. Nothing of what follows it is read. */
async function hear(socket: Socket, isWhole: RegExp): Promise<string> {
  let said = "";
  while (!isWhole.test(said)) {
    const part: Buffer | null = socket.read();
    if (part) said += part.toString("latin1");
    else if (socket.readableEnded || socket.destroyed) throw new Error(`the server hung up: ${said.trim()}`);
    else await Promise.race([once(socket, "readable"), once(socket, "close")]);
    if (said.length > mostWords) throw new Error("the server talks without end");
  }
  return said;
}
