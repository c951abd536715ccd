import { z } from "zod";
import { ca, webUrl } from "../connectors/schema.ts";
import { defineNotifier, type Notice } from "./notifier.ts";
import { post, shorten } from "./post.ts";

const config = z.strictObject({
  routing_key: z
    .string()
    .regex(/^[A-Za-z0-9]{32}$/, "must be the 32 characters of an Events API v2 integration key")
    .meta({ secret: true }),
  url: webUrl("https")
    .default("https://events.pagerduty.com/v2/enqueue")
    .meta({ destination: true, description: "https://events.eu.pagerduty.com/v2/enqueue in the EU" }),
  ca,
});

const severities = { Info: "info", Warning: "warning", Critical: "critical" };

/** PagerDuty, Events API v2. What resolves an incident names the key that it was triggered with. */
export const pagerduty = defineNotifier({
  kind: "pagerduty",
  title: "PagerDuty",
  config,
  isAddressed: false,
  keepsIncidents: true,
  send: (notice, { routing_key: key, url, ca: trusted }, context) =>
    post(context, { url, ca: trusted, body: JSON.stringify(event(notice, key)), words }),
});

function event(notice: Notice, routingKey: string) {
  const common = { routing_key: routingKey, dedup_key: shorten(notice.incidentKey, 255) };
  if (notice.effect === "resolve") return { ...common, event_action: "resolve" };
  return {
    ...common,
    event_action: "trigger",
    client: "certctl",
    payload: {
      summary: shorten(notice.subject, 1_024),
      source: notice.threadKey,
      severity: severities[notice.severity],
      timestamp: notice.at.toISOString(),
      class: notice.type,
      custom_details: {
        message: notice.message,
        ...Object.fromEntries(notice.facts.map(({ name, value }) => [name, value])),
        notification: notice.id,
      },
    },
  };
}

/** {"status": "invalid event", "message": "Event object is invalid", "errors": ["Length of 'routing_key' is incorrect"]} */
const refusal = z.object({ message: z.string(), errors: z.array(z.string()).default([]) });

function words(body: unknown): string | undefined {
  const read = refusal.safeParse(body);
  return read.success ? [read.data.message, ...read.data.errors].join("; ") : undefined;
}
