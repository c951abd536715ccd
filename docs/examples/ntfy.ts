import { z } from "zod";
import { ca, webUrl } from "../../src/connectors/schema.ts";
import { defineNotifier } from "../../src/notifiers/notifier.ts";
import { post } from "../../src/notifiers/post.ts";

const config = z.strictObject({
  // A masked secret is kept only while what is marked as its destination stays the same.
  url: webUrl("https", "http").meta({ destination: true }),
  topic: z.string().regex(/^[\w-]{1,64}$/),
  token: z.string().min(1).max(256).meta({ secret: true, description: "An access token of the ntfy server" }),
  ca,
});

const priorities = { Info: 3, Warning: 4, Critical: 5 };

/** A push message through a server of ntfy (https://docs.ntfy.sh/publish/#publish-as-json). */
export const ntfy = defineNotifier({
  kind: "ntfy",
  title: "ntfy",
  config,
  isAddressed: false,
  keepsIncidents: false,
  send(notice, { url, topic, token, ca: trusted }, context) {
    const message = [notice.message, ...notice.facts.map(({ name, value }) => `${name}: ${value}`)].join(
      "\n",
    );
    const body = { topic, title: notice.subject, message, priority: priorities[notice.severity] };
    const headers = { authorization: `Bearer ${token}` };
    return post(context, { url, ca: trusted, headers, body: JSON.stringify(body) });
  },
});
