import { z } from "zod";
import { ca, webUrl } from "../connectors/schema.ts";
import { defineNotifier, type Notice } from "./notifier.ts";
import { post, shorten } from "./post.ts";

const config = z.strictObject({
  api_key: z.string().min(1).max(256).meta({ secret: true, description: "Key of an API integration" }),
  url: webUrl("https").default("https://api.opsgenie.com").meta({
    destination: true,
    description:
      "https://api.eu.opsgenie.com in the EU; https://api.atlassian.com/jsm/ops/integration for Jira Service Management",
  }),
  ca,
});

const priorities = { Info: "P5", Warning: "P3", Critical: "P1" };

/** Opsgenie's Alert API, which Jira Service Management has, too. What resolves an alert closes the one of the same alias. */
export const opsgenie = defineNotifier({
  kind: "opsgenie",
  title: "Opsgenie",
  config,
  isAddressed: false,
  keepsIncidents: true,
  send(notice, { api_key: key, url, ca: trusted }, context) {
    const alerts = `${url.replace(/\/$/, "")}/v2/alerts`;
    const alias = shorten(notice.incidentKey, 512);
    const isClose = notice.effect === "resolve";
    return post(context, {
      url: isClose ? `${alerts}/${encodeURIComponent(alias)}/close?identifierType=alias` : alerts,
      ca: trusted,
      headers: { authorization: `GenieKey ${key}` },
      body: JSON.stringify(isClose ? closing(notice) : alert(notice, alias)),
      words,
    });
  },
});

function alert(notice: Notice, alias: string) {
  return {
    message: shorten(notice.subject, 130),
    alias,
    description: shorten(notice.message, 15_000),
    details: {
      ...Object.fromEntries(notice.facts.map(({ name, value }) => [name, value])),
      notification: notice.id,
    },
    entity: notice.threadKey,
    source: "certctl",
    tags: [notice.type],
    priority: priorities[notice.severity],
  };
}

function closing(notice: Notice) {
  return { source: "certctl", note: shorten(`${notice.subject}\n${notice.message}`, 25_000) };
}

/** {"message": "Request body is not processable…", "took": 0.083, "requestId": "…"} */
const refusal = z.object({ message: z.string() });

function words(body: unknown): string | undefined {
  const read = refusal.safeParse(body);
  return read.success ? read.data.message : undefined;
}
