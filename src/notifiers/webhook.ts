import { createHmac } from "node:crypto";
import { z } from "zod";
import { ca, webUrl } from "../connectors/schema.ts";
import { defineNotifier, type Notice } from "./notifier.ts";
import { post } from "./post.ts";

const config = z.strictObject({
  url: webUrl("https", "http").meta({ destination: true }),
  secret: z.string().min(16).max(256).meta({ secret: true, description: "Signs every call" }),
  ca,
});

/**
 * A POST of JSON to a URL of the receiver's. It is signed, so that the receiver knows who calls and that nobody replays an old
 * call: `X-Certctl-Signature: v1=` and the hexadecimal HMAC-SHA256, under the secret, of the header `X-Certctl-Timestamp` (Unix
 * seconds), a dot and the body as it arrives. `X-Certctl-Delivery` is the notification's id, the same in every try.
 */
export const webhook = defineNotifier({
  kind: "webhook",
  title: "Webhook",
  config,
  isAddressed: false,
  keepsIncidents: false,
  send(notice, { url, secret, ca: trusted }, context) {
    const body = JSON.stringify(payload(notice));
    const timestamp = String(Math.floor(context.now.getTime() / 1000));
    const headers = {
      "x-certctl-delivery": notice.id,
      "x-certctl-event": notice.type,
      "x-certctl-timestamp": timestamp,
      "x-certctl-signature": signature(secret, timestamp, body),
    };
    return post(context, { url, ca: trusted, headers, body });
  },
});

function signature(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
}

function payload(notice: Notice) {
  return {
    id: notice.id,
    type: notice.type,
    severity: notice.severity,
    effect: notice.effect,
    subject: notice.subject,
    message: notice.message,
    facts: Object.fromEntries(notice.facts.map(({ name, value }) => [name, value])),
    thread: notice.threadKey,
    incident: notice.incidentKey,
    at: notice.at.toISOString(),
  };
}
