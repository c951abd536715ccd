import { z } from "zod";
import { ca, webUrl } from "../connectors/schema.ts";
import { defineNotifier, type Notice } from "./notifier.ts";
import { post, shorten } from "./post.ts";

const config = z.strictObject({
  // The URL of the workflow carries its own signature: whoever knows it may post.
  workflow_url: webUrl("https").meta({ secret: true, destination: true }),
  ca,
});

const colors = { Info: "Good", Warning: "Warning", Critical: "Attention" };

/** Microsoft Teams: the workflow "when a Teams webhook request is received", which takes an Adaptive Card. */
export const teams = defineNotifier({
  kind: "teams",
  title: "Microsoft Teams",
  config,
  isAddressed: false,
  keepsIncidents: false,
  send: (notice, { workflow_url: url, ca: trusted }, context) =>
    post(context, { url, ca: trusted, body: JSON.stringify(message(notice)), words }),
});

function message(notice: Notice) {
  const text = { type: "TextBlock", wrap: true };
  const facts = notice.facts.map(({ name, value }) => ({ title: name, value: plain(value) }));
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      {
        ...text,
        size: "Medium",
        weight: "Bolder",
        color: colors[notice.severity],
        text: plain(notice.subject),
      },
      { ...text, text: plain(notice.message) },
      ...(facts.length > 0 ? [{ type: "FactSet", facts }] : []),
      { ...text, isSubtle: true, size: "Small", text: `certctl · ${notice.id}` },
    ],
  };
  const contentType = "application/vnd.microsoft.card.adaptive";
  return { type: "message", attachments: [{ contentType, contentUrl: null, content }] };
}

/** Cards read Markdown; what is shown here is none. A card has to stay below 28 KB. */
function plain(text: string): string {
  return shorten(text, 2_000).replace(/([\\`*_[\]#])/g, "\\$1");
}

/** Power Automate refuses with {"error": {"code": "…", "message": "…"}}. */
const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

function words(body: unknown): string | undefined {
  const read = refusal.safeParse(body);
  return read.success ? `${read.data.error.code}: ${read.data.error.message}` : undefined;
}
