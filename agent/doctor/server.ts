import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { AgentConfig } from "../config.ts";
import { type Identity, readIdentity } from "../identity.ts";
import { pinnedRoot } from "../trust.ts";
import { type Finding, failed, fine } from "./finding.ts";

const answerWithinMs = 10_000;
/** More than what an answer takes, and what lets a certificate that was made just now look as if it began later. */
const mostSkewMs = 30_000;

/** Whether the control plane answers, is the one that is meant, takes this agent's certificate, and has the same time. */
export async function checkServer(config: AgentConfig, stop: AbortSignal): Promise<Finding[]> {
  const identity = await readIdentity(config.stateDir).catch(() => null);
  const { introduction } = config;
  const known = identity && introduction.kind !== "api_key" ? identity : null;
  const server =
    config.server ??
    (known ? new URL(known.server) : "server" in introduction ? introduction.server : undefined);
  const subject = "connection";
  if (!server)
    return [failed(subject, "no control plane is named", "set CERTCTL_JOIN, or CERTCTL_SERVER_URL")];
  const signal = AbortSignal.any([stop, AbortSignal.timeout(answerWithinMs)]);
  try {
    const ca =
      known?.rootsPem ?? ("pin" in introduction ? [await pinnedRoot(server, introduction.pin, signal)] : []);
    const began = Date.now();
    const { status, date } = await answer(new URL("/health", server), { ca, identity: known, signal });
    const middle = (began + Date.now()) / 2;
    if (status !== 200)
      return [failed(subject, `${server.origin} answers ${status}`, "look at the control plane's log")];
    return [
      fine(subject, `${server.origin} answers, and is the control plane that is meant`),
      clock(date - middle),
    ];
  } catch (error) {
    stop.throwIfAborted();
    const words = error instanceof Error ? error.message : String(error);
    return [failed(subject, `${server.origin}: ${words}`, hintFor(error))];
  }
}

function clock(skewMs: number): Finding {
  // The header knows seconds alone.
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const side = skewMs > 0 ? "behind" : "ahead of";
  return Math.abs(skewMs) <= mostSkewMs
    ? fine("clock", "agrees with the control plane's")
    : failed(
        "clock",
        `${seconds} s ${side} the control plane's`,
        "have both hosts keep time: timedatectl set-ntp true",
      );
}

/** What such an error of TLS or of the network is about. */
function hintFor(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "the name does not resolve here: look at DNS, or CERTCTL_SERVER_URL";
  if (code === "ECONNREFUSED") return "nothing listens there: is the control plane up, and the port right?";
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") return "look at the clocks of both hosts";
  if (/CERT|ISSUER|SIGNATURE|ALTNAME/.test(code))
    return "another server answers there, or a proxy that opens TLS: the agent needs the control plane itself";
  return "look at firewalls between this host and the control plane; the agent opens one connection outwards";
}

interface Asked {
  ca: readonly string[];
  identity: Identity | null;
  signal: AbortSignal;
}

function answer(url: URL, { ca, identity, signal }: Asked): Promise<{ status: number; date: number }> {
  const own = identity ? { cert: identity.certificatePem, key: identity.keyPem } : {};
  return new Promise((resolve, reject) => {
    const call = request(url, { ca: [...ca], ...own, agent: false, signal }, (response: IncomingMessage) => {
      response.resume();
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, date: Date.parse(response.headers.date ?? "") }),
      );
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end();
  });
}
