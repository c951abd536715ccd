import type { JsonObject } from "@bufbuild/protobuf";
import { markedFields, valueAt } from "../connectors/fields.ts";
import { mask } from "../connectors/secrets.ts";
import type { Notice, Notifier, NotifierContext } from "./notifier.ts";

/** What became of a try to tell. */
export interface Delivery {
  isDelivered: boolean;
  /** The other side's words, or what went wrong; no secret is in it. */
  words: string;
}

/** Tells it once. A failure is an answer like any other; only the signal's end throws. */
export async function sendNotice(
  notifier: Notifier,
  config: JsonObject,
  notice: Notice,
  context: NotifierContext,
): Promise<Delivery> {
  try {
    const words = await notifier.send(notice, config, context);
    return { isDelivered: true, words: clean(notifier, config, words) };
  } catch (error) {
    context.signal.throwIfAborted();
    const words = error instanceof Error ? error.message : String(error);
    return { isDelivered: false, words: clean(notifier, config, words || "it failed without a word") };
  }
}

/** One line that can be shown: whatever the other side repeats, no secret of the configuration is in it. */
function clean(notifier: Notifier, config: JsonObject, words: string): string {
  const secrets = markedFields(notifier.config, config, "secret").map((path) => valueAt(config, path));
  let text = words.replace(/[\s\p{Cc}]+/gu, " ").trim();
  for (const secret of secrets)
    if (typeof secret === "string" && secret !== "") text = text.replaceAll(secret, mask);
  return text.slice(0, 500);
}
