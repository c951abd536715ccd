import type { JsonObject } from "@bufbuild/protobuf";

/** A question to an agent about a target, on its way to the replica that holds the agent's stream. */
export interface ProbeQuestion {
  id: string;
  agentId: string;
  kind: string;
  config: JsonObject;
}

/** Its answer, on the way back. */
export interface ProbeAnswer {
  id: string;
  agentId: string;
  checks: { name: string; ok: boolean; message: string }[];
  served: string;
}

/** What fits into one notification of PostgreSQL, in octets. */
export const mostOctets = 7_900;
const mostWords = 500;

export function readQuestion(payload: string): ProbeQuestion {
  return JSON.parse(payload) as ProbeQuestion;
}

export function readAnswer(payload: string): ProbeAnswer {
  return JSON.parse(payload) as ProbeAnswer;
}

/** The answer as text; words that are too long for the way are cut, to the last if need be. */
export function writeAnswer({ checks, ...answer }: ProbeAnswer): string {
  for (let most = mostWords; ; most = Math.floor(most / 2)) {
    const short = checks.map((check) => ({ ...check, message: check.message.slice(0, most) }));
    const text = JSON.stringify({ ...answer, checks: short });
    if (Buffer.byteLength(text) <= mostOctets || most === 0) return text;
  }
}
