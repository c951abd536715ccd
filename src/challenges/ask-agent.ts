import type { ReportChallengeRequest } from "#gen/certctl/v1/agent_work_pb.ts";
import { isOnline } from "../agents/view.ts";
import { IssuerError, type KeptChallenge } from "../issuers/issuer.ts";
import { type Bus, notify } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import { Wakeup } from "../platform/wakeup.ts";

export type AskAgent = (
  what: "publish" | "clear",
  challenge: KeptChallenge,
  signal: AbortSignal,
) => Promise<void>;

/** What an agent is asked to do, on its way to the replica that holds its stream. */
export interface ChallengeQuestion extends Omit<KeptChallenge, "id"> {
  challengeId: string;
  what: "publish" | "clear";
}

interface ChallengeAnswer {
  challengeId: string;
  agentId: string;
  what: string;
  ok: boolean;
  message: string;
}

/** An agent that can be asked says so. */
const capability = "acme/1";
const answerWithinMs = 15_000;
const mostWords = 1_000;

/**
 * Has agents publish challenges on their hosts. As with probes, nothing is stored on the way: a question that is lost is another
 * attempt of the job.
 */
export function createAskAgent({ db, bus }: { db: Database; bus: Bus }): AskAgent {
  return async (what, { id: challengeId, agentId, type, identifier, token, keyAuthorization }, signal) => {
    const [agent] = await db.$queryRaw<{ name: string; isThere: boolean; capabilities: string[] }[]>`
      SELECT a.name, ${isOnline} AS "isThere", a.capabilities FROM agents a
      WHERE a.id = ${agentId} AND a.retired_at IS NULL`;
    if (!agent?.isThere) throw failure(`agent ${agent?.name ?? agentId} is offline`, "Network");
    if (!agent.capabilities.includes(capability))
      throw failure(`agent ${agent.name} cannot answer challenges; update it`, "Configuration");
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
    using wakeup = new Wakeup(deadline);
    let answer: ChallengeAnswer | undefined;
    using _subscription = bus.subscribe("challenged", (payload) => {
      const said = JSON.parse(payload) as ChallengeAnswer;
      if (said.challengeId !== challengeId || said.agentId !== agentId || said.what !== what) return;
      answer = said;
      wakeup.wake();
    });
    const question: ChallengeQuestion = {
      ...{ challengeId, agentId, what },
      ...{ type, identifier, token, keyAuthorization },
    };
    await notify(db, "challenge", JSON.stringify(question));
    while (!answer && !deadline.aborted) await wakeup.wait(answerWithinMs);
    signal.throwIfAborted();
    if (!answer)
      throw failure(`agent ${agent.name} did not answer within ${answerWithinMs / 1_000} s`, "Network");
    if (!answer.ok) throw failure(`agent ${agent.name}: ${answer.message}`, "Target");
  };
}

/** Takes an agent's answer to whoever waits for it, on whichever replica. */
export async function answerChallenge(
  db: Database,
  agentId: string,
  { challengeId, clear, ok, message }: ReportChallengeRequest,
): Promise<void> {
  const answer: ChallengeAnswer = {
    challengeId,
    agentId,
    what: clear ? "clear" : "publish",
    ok,
    message: message.slice(0, mostWords),
  };
  await notify(db, "challenged", JSON.stringify(answer));
}

function failure(message: string, failureClass: "Network" | "Configuration" | "Target"): IssuerError {
  return new IssuerError("challenge", message, failureClass);
}
