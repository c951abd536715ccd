import { callHttp, type EgressAnswer } from "../platform/egress-http.ts";
import { type NotifierContext, NotifierError } from "./notifier.ts";

export interface Post {
  url: string;
  ca: string | undefined;
  headers?: Record<string, string>;
  body: string;
  /** The words of a refusal in this API's own form. Without it only the status line is shown: bodies are not echoed. */
  words?: (body: unknown) => string | undefined;
}

/** Sends JSON and returns the status line. Throws NotifierError for every answer but 2xx. */
export async function post({ egress, signal }: NotifierContext, call: Post): Promise<string> {
  const answer = await callHttp(egress, {
    method: "POST",
    url: new URL(call.url),
    headers: { "content-type": "application/json; charset=utf-8", ...call.headers },
    body: call.body,
    signal,
    ...(call.ca === undefined ? {} : { ca: call.ca }),
  });
  const status = `HTTP ${answer.status} ${answer.statusText}`.trim();
  if (answer.status >= 200 && answer.status < 300) return status;
  const words = call.words?.(parse(answer));
  throw new NotifierError(words ? `${status}: ${words.slice(0, 300)}` : status);
}

function parse({ body }: EgressAnswer): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** At most so many characters, whole ones. */
export function shorten(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
