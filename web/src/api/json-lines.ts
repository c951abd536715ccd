import type { JsonObject } from "@bufbuild/protobuf";
import { type ErrorBody, errorOfBody, unreachable } from "./errors.ts";

/** Reads a stream of one JSON text a line. Empty lines are pings; a line with `error` ends it by that error. */
export async function* jsonLines<Message>(
  response: Response,
  read: (line: JsonObject) => Message,
  signal: AbortSignal | undefined,
): AsyncGenerator<Message> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader
        .read()
        .catch((cause) => Promise.reject(unreachable(cause, signal)));
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.trim() === "") continue;
        const json = JSON.parse(line) as JsonObject;
        if (isError(json)) throw errorOfBody(json as ErrorBody, response);
        yield read(json);
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Its `error` is a text; the field of that name in a message is none. */
function isError(json: JsonObject): boolean {
  return typeof json["error"] === "string" && typeof json["code"] === "string";
}
