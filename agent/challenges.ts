import type { AnswerChallenge } from "#gen/certctl/v1/agent_work_pb.ts";
import { createAlpnResponder } from "./alpn-responder.ts";
import { loadHostFile } from "./host-file.ts";
import { createHttpResponder } from "./http-responder.ts";
import { openWebroots } from "./webroots.ts";

/** Shows CAs that names lead to this host, in the ways that agent.yaml allows. */
export interface ChallengeDesk extends AsyncDisposable {
  /** Publishes a challenge, or takes it away. Throws what is wrong, in words that are fit to leave the host. */
  answer(challenge: AnswerChallenge): Promise<void>;
}

/** No challenge is open for longer, whatever became of the control plane. */
const mostOpenMs = 3_600_000;
/** What becomes a file's name, and is compared with what a CA asks for. */
const tokenPattern = /^[A-Za-z0-9_-]{16,512}$/;

export async function openChallenges({
  hostFilePath,
  stateDir,
}: {
  hostFilePath: string;
  stateDir: string;
}): Promise<ChallengeDesk> {
  const webroots = await openWebroots(stateDir);
  const http = createHttpResponder();
  const alpn = createAlpnResponder();
  const clearing = new Map<string, () => Promise<void>>();

  async function publish(challenge: AnswerChallenge): Promise<() => Promise<void>> {
    const { type, identifier, token, keyAuthorization } = challenge;
    const { acme, allowedDirectories } = await loadHostFile(hostFilePath);
    if (type === "tls-alpn-01") {
      if (!acme.tls_alpn_listen) throw notAllowed(type, "tls_alpn_listen");
      return alpn.publish(acme.tls_alpn_listen, { identifier, keyAuthorization });
    }
    if (type !== "http-01") throw new Error(`this agent cannot answer ${type} challenges; update it`);
    const webroot = acme.webroots.find(
      ({ names }) => names === undefined || names.some((name) => fits(name, identifier)),
    );
    if (webroot) return webroots.publish(webroot.directory, { allowedDirectories, token, keyAuthorization });
    if (!acme.http_listen) throw notAllowed(`${type} for ${identifier}`, "webroots or http_listen");
    return http.publish(acme.http_listen, { token, keyAuthorization });
  }

  async function clear(id: string): Promise<void> {
    const takeAway = clearing.get(id);
    clearing.delete(id);
    await takeAway?.();
  }

  return {
    async answer(challenge) {
      const { challengeId, token } = challenge;
      await clear(challengeId);
      if (challenge.clear) return;
      if (!tokenPattern.test(token)) throw new Error("the challenge's token is none");
      const takeAway = await publish(challenge);
      const limit = setTimeout(() => void clear(challengeId).catch(() => {}), mostOpenMs);
      limit.unref();
      clearing.set(challengeId, async () => {
        clearTimeout(limit);
        await takeAway();
      });
    },
    async [Symbol.asyncDispose]() {
      for (const id of [...clearing.keys()]) await clear(id).catch(() => {});
    },
  };
}

/** "*.example.org" stands for every name below it. */
function fits(pattern: string, name: string): boolean {
  return pattern === name || (pattern.startsWith("*.") && name.endsWith(pattern.slice(1)));
}

function notAllowed(what: string, field: string): Error {
  return new Error(`agent.yaml does not allow ${what}: it has no ${field} below acme`);
}
