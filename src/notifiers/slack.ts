import { z } from "zod";
import { ca, webUrl } from "../connectors/schema.ts";
import { defineNotifier, type Notice } from "./notifier.ts";
import { post, shorten } from "./post.ts";

const config = z.strictObject({
  // Whoever knows the URL may post.
  webhook_url: webUrl("https").meta({ secret: true, destination: true }),
  ca,
});

const icons = { Info: ":white_check_mark:", Warning: ":warning:", Critical: ":rotating_light:" };

/** A Slack incoming webhook: a message of blocks into the channel that the webhook was made for. */
export const slack = defineNotifier({
  kind: "slack",
  title: "Slack",
  config,
  isAddressed: false,
  keepsIncidents: false,
  send: (notice, { webhook_url: url, ca: trusted }, context) =>
    post(context, { url, ca: trusted, body: JSON.stringify(message(notice)), words }),
});

function message(notice: Notice) {
  const fields = notice.facts.slice(0, 10).map(({ name, value }) => ({
    type: "mrkdwn",
    text: shorten(`*${escaped(name)}*\n${escaped(value)}`, 2_000),
  }));
  return {
    // What is shown where blocks are not: in the notification of a telephone.
    text: shorten(escaped(notice.subject), 3_000),
    blocks: [
      {
        type: "header",
        text: {
          type: "plain_text",
          emoji: true,
          text: shorten(`${icons[notice.severity]} ${notice.subject}`, 150),
        },
      },
      { type: "section", text: { type: "mrkdwn", text: shorten(escaped(notice.message), 3_000) } },
      ...(fields.length > 0 ? [{ type: "section", fields }] : []),
      { type: "context", elements: [{ type: "mrkdwn", text: `certctl · ${escaped(notice.id)}` }] },
    ],
  };
}

/** Slack reads these three as its own. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A refusal is one word of text: "invalid_payload", "channel_is_archived". */
function words(body: unknown): string | undefined {
  return typeof body === "string" && /^[a-z_]{1,64}$/.test(body) ? body : undefined;
}
