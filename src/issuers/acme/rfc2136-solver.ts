import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import * as dns from "dns-packet";
import { exchangeDns } from "../../dns/exchange.ts";
import { requireSigned, signMessage, TsigError, type TsigKey } from "../../dns/tsig.ts";
import { classes, encodeRecord, encodeUpdate, textData, types } from "../../dns/wire.ts";
import { type ChallengeTools, IssuerError } from "../issuer.ts";
import type { AcmeConfig } from "./config.ts";
import { recordOf } from "./record.ts";
import type { Solver } from "./solver.ts";

const ttlSeconds = 60;
const seenWithinMs = 30_000;
const lookEveryMs = 250;
/** RFC 1035, 4.1.1 and RFC 2136, 2.2. */
const codes: Record<number, string> = {
  1: "FORMERR",
  2: "SERVFAIL",
  3: "NXDOMAIN",
  4: "NOTIMP",
  5: "REFUSED",
  9: "NOTAUTH",
  10: "NOTZONE",
};

/** Adds the records of dns-01 to a zone by signed updates of its primary (RFC 2136, RFC 8945), and takes them away. */
export function rfc2136Solver(config: AcmeConfig["rfc2136"], tools: ChallengeTools): Solver {
  const { egress, clock, signal } = tools;
  const server = { host: config.server, port: config.port };
  const key: TsigKey = {
    name: config.tsig_key_name,
    algorithm: config.tsig_algorithm,
    secret: config.tsig_secret,
  };
  const where = `${config.server}:${config.port}`;

  async function send(message: Buffer): Promise<Buffer> {
    return exchangeDns(egress, server, message, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw failure(`${where}: ${error instanceof Error ? error.message : error}`, "Network");
    });
  }

  async function ask(name: string, type: "TXT" | "SOA"): Promise<dns.DecodedPacket> {
    const query = dns.encode({
      type: "query",
      id: randomInt(65_536),
      questions: [{ type, name, class: "IN" }],
    });
    return dns.decode(await send(Buffer.from(query)));
  }

  /** The zone that a name lies in, as its primary says. */
  async function zoneOf(name: string): Promise<string> {
    if (config.zone !== "") return config.zone;
    const { answers = [], authorities = [] } = await ask(name, "SOA");
    const zone = [...answers, ...authorities].find(({ type }) => type === "SOA")?.name;
    if (zone && (name === zone || name.endsWith(`.${zone}`))) return zone;
    throw failure(
      `${where} has no zone for ${name}; name the zone in the issuer's settings`,
      "Configuration",
    );
  }

  async function update(name: string, change: Buffer): Promise<void> {
    const zone = await zoneOf(name);
    const { signed, mac } = signMessage(encodeUpdate(randomInt(65_536), zone, [change]), key, clock());
    const answer = await send(signed);
    const code = answer.readUInt16BE(2) & 0x0f;
    try {
      requireSigned(answer, key, mac, clock());
    } catch (error) {
      // A refusal may come without a signature; it is as good as one.
      if (!(error instanceof TsigError)) throw error;
      const said = code === 0 ? error.message : `${codes[code] ?? `code ${code}`}; ${error.message}`;
      throw failure(`${where}, zone ${zone}: ${said}`, "Configuration");
    }
    if (code !== 0)
      throw failure(`${where}, zone ${zone}: ${codes[code] ?? `code ${code}`}`, "Configuration");
  }

  async function isSeen(name: string, text: string): Promise<boolean> {
    const { answers = [] } = await ask(name, "TXT");
    return answers.some(
      (answer) =>
        answer.type === "TXT" &&
        Buffer.concat([answer.data].flat().map((part) => Buffer.from(part))).toString() === text,
    );
  }

  return {
    by: `${where} (RFC 2136)`,
    async publish(challenge) {
      const { name, text } = recordOf(challenge);
      await update(name, encodeRecord(name, types.TXT, classes.IN, ttlSeconds, textData(text)));
      for (const until = Date.now() + seenWithinMs; !(await isSeen(name, text)); ) {
        if (Date.now() > until) throw failure(`${where} does not show the record at ${name}`, "Network");
        await delay(lookEveryMs, undefined, { signal });
      }
    },
    async clear(challenge) {
      const { name, text } = recordOf(challenge);
      await update(name, encodeRecord(name, types.TXT, classes.NONE, 0, textData(text)));
    },
  };
}

function failure(message: string, failureClass: "Network" | "Configuration"): IssuerError {
  return new IssuerError("challenge", message, failureClass);
}
