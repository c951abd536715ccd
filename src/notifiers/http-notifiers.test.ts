import { createHmac } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { notice } from "../../test/notice.ts";
import { type Received, type Receiver, startReceiver } from "../../test/receiver.ts";
import { createEgress } from "../platform/egress.ts";
import type { Notice, Notifier } from "./notifier.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { webhook } from "./webhook.ts";

/**
 * The receiver is a fake of these services: a local HTTPS server. What it expects and answers are the examples that they
 * document; none of them was called.
 */

let parts: AsyncDisposableStack;
let receiver: Receiver;
beforeEach(async () => {
  parts = new AsyncDisposableStack();
  receiver = parts.use(await startReceiver());
});
afterEach(() => parts.disposeAsync());

const now = new Date("2030-06-01T12:00:05Z");

function send(
  notifier: Notifier,
  config: object,
  changes: Partial<Notice> = {},
  allow = ["127.0.0.0/8", "::1/128"],
) {
  const context = { signal: new AbortController().signal, egress: createEgress(allow), now };
  return notifier.send(notice(changes), { ca: receiver.ca, ...config }, context);
}

/** The one call that was received. */
function call(): Received & { json: unknown } {
  const [only, ...more] = receiver.received;
  if (!only || more.length > 0) throw new Error(`${receiver.received.length} calls were received`);
  return { ...only, json: JSON.parse(only.body) };
}

describe("a webhook", () => {
  const secret = "a shared secret of the receiver";
  const config = () => ({ url: `${receiver.url}/hook?a=b`, secret });

  test("is told in JSON, signed over time and body", async () => {
    receiver.answer = { status: 204, body: "" };
    expect(await send(webhook, config())).toBe("HTTP 204 No Content");
    const { method, path, headers, body, json } = call();
    expect({ method, path }).toEqual({ method: "POST", path: "/hook?a=b" });
    expect(json).toEqual({
      id: "ntf-test",
      type: "CertificateExpiring",
      severity: "Warning",
      effect: "trigger",
      subject: "shop.example.com expires in 14 days",
      message: "The certificate of <shop> & co. was to be renewed on 1 June.",
      facts: { Certificate: "mc-shop", "Valid until": "2030-06-15T12:00:00Z" },
      thread: "mc-shop",
      incident: "mc-shop/expiry",
      at: "2030-06-01T12:00:00.000Z",
    });
    const timestamp = String(now.getTime() / 1000);
    const mac = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
    expect(headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "x-certctl-delivery": "ntf-test",
      "x-certctl-event": "CertificateExpiring",
      "x-certctl-timestamp": timestamp,
      "x-certctl-signature": `v1=${mac}`,
    });
  });

  test("that answers with a failure is quoted by its status alone", async () => {
    receiver.answer = { status: 500, body: '{"message": "the internal database password is hunter2"}' };
    await expect(send(webhook, config())).rejects.toThrow(/^HTTP 500 Internal Server Error$/);
  });

  test("is not reached at an internal address, through a redirect, or under another's certificate", async () => {
    await expect(send(webhook, config(), {}, [])).rejects.toThrow(/CERTCTL_EGRESS_ALLOW/);
    await expect(send(webhook, { ...config(), ca: undefined })).rejects.toThrow(/certificate/);
    expect(receiver.received).toEqual([]);
    receiver.answer = { status: 307, body: "" };
    await expect(send(webhook, config())).rejects.toThrow("HTTP 307");
    expect(receiver.received).toHaveLength(1);
  });

  test("without TLS works where its URL says so", async () => {
    const plain = parts.use(await startReceiver({ isPlain: true }));
    await send(webhook, { url: plain.url, secret });
    expect(plain.received).toHaveLength(1);
  });
});

describe("Slack", () => {
  const config = () => ({
    webhook_url: `${receiver.url}/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX`,
  });

  test("gets a message of blocks with a text for where blocks are not shown", async () => {
    expect(await send(slack, config())).toBe("HTTP 200 OK");
    expect(call()).toMatchObject({
      path: "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
      json: {
        text: "shop.example.com expires in 14 days",
        blocks: [
          {
            type: "header",
            text: { type: "plain_text", text: ":warning: shop.example.com expires in 14 days" },
          },
          {
            type: "section",
            text: { type: "mrkdwn", text: expect.stringContaining("&lt;shop&gt; &amp; co.") },
          },
          { type: "section", fields: [{ type: "mrkdwn", text: "*Certificate*\nmc-shop" }, {}] },
          { type: "context" },
        ],
      },
    });
  });

  test("gets no longer text than it takes", async () => {
    const facts = Array.from({ length: 20 }, (_, i) => ({ name: `n${i}`, value: "v".repeat(3_000) }));
    await send(slack, config(), { subject: "s".repeat(400), message: "m".repeat(5_000), facts });
    const { blocks } = call().json as { blocks: [Block, Block, Block] };
    expect(blocks[0].text?.text).toHaveLength(150);
    expect(blocks[1].text?.text).toHaveLength(3_000);
    expect(blocks[2].fields?.map(({ text }) => text.length)).toEqual(Array(10).fill(2_000));
  });

  test.each([
    [403, "action_prohibited"],
    [404, "channel_not_found"],
    [410, "channel_is_archived"],
  ])("that refuses with %i is quoted: %s", async (status, body) => {
    receiver.answer = { status, body };
    await expect(send(slack, config())).rejects.toThrow(new RegExp(`^HTTP ${status} .*: ${body}$`));
  });
});

interface Block {
  text?: { text: string };
  fields?: { text: string }[];
}

describe("Microsoft Teams", () => {
  const config = () => ({
    workflow_url: `${receiver.url}/workflows/0a1b/triggers/manual/paths/invoke?sig=s3cr3t`,
  });

  test("gets an Adaptive Card", async () => {
    receiver.answer = { status: 202, body: "" };
    expect(await send(teams, config(), { facts: [{ name: "Name", value: "*_x_*" }] })).toBe(
      "HTTP 202 Accepted",
    );
    expect(call()).toMatchObject({
      path: "/workflows/0a1b/triggers/manual/paths/invoke?sig=s3cr3t",
      json: {
        type: "message",
        attachments: [
          {
            contentType: "application/vnd.microsoft.card.adaptive",
            contentUrl: null,
            content: {
              type: "AdaptiveCard",
              version: "1.4",
              body: [
                { type: "TextBlock", color: "Warning", text: "shop.example.com expires in 14 days" },
                { type: "TextBlock", wrap: true },
                { type: "FactSet", facts: [{ title: "Name", value: "\\*\\_x\\_\\*" }] },
                { type: "TextBlock", text: "certctl · ntf-test" },
              ],
            },
          },
        ],
      },
    });
  });

  test("that refuses is quoted, without the signature in its URL", async () => {
    const error = { code: "WorkflowTriggerIsNotEnabled", message: "Could not execute workflow 'x'." };
    receiver.answer = { status: 400, body: JSON.stringify({ error }) };
    const sent = send(teams, config());
    await expect(sent).rejects.toThrow(`HTTP 400 Bad Request: ${error.code}: ${error.message}`);
    await expect(sent).rejects.not.toThrow("s3cr3t");
  });
});

describe("PagerDuty", () => {
  const key = "R".repeat(32);
  const config = () => ({ routing_key: key, url: `${receiver.url}/v2/enqueue` });

  test("opens an incident under the key of what is wrong", async () => {
    const body = { status: "success", message: "Event processed", dedup_key: "mc-shop/expiry" };
    receiver.answer = { status: 202, body: JSON.stringify(body) };
    expect(await send(pagerduty, config(), { severity: "Critical" })).toBe("HTTP 202 Accepted");
    expect(call()).toMatchObject({
      path: "/v2/enqueue",
      json: {
        routing_key: key,
        event_action: "trigger",
        dedup_key: "mc-shop/expiry",
        payload: {
          summary: "shop.example.com expires in 14 days",
          source: "mc-shop",
          severity: "critical",
          timestamp: "2030-06-01T12:00:00.000Z",
          class: "CertificateExpiring",
          custom_details: { Certificate: "mc-shop" },
        },
      },
    });
  });

  test("closes it by the same key", async () => {
    await send(pagerduty, config(), { effect: "resolve", type: "CertificateIssued" });
    expect(call().json).toEqual({ routing_key: key, event_action: "resolve", dedup_key: "mc-shop/expiry" });
  });

  test("that refuses is quoted", async () => {
    const errors = ["Length of 'routing_key' is incorrect (should be 32 characters)"];
    const body = { status: "invalid event", message: "Event object is invalid", errors };
    receiver.answer = { status: 400, body: JSON.stringify(body) };
    const words = `HTTP 400 Bad Request: Event object is invalid; ${errors[0]}`;
    await expect(send(pagerduty, config())).rejects.toThrow(words);
  });
});

describe("Opsgenie", () => {
  const key = "eb243592-faa2-4ba2-a551-1afdf565c889";
  const config = () => ({ api_key: key, url: receiver.url });
  const accepted = { result: "Request will be processed", took: 0.302, requestId: "43a29c5c-3dbf-4fa4-9c26" };

  test("gets an alert under the alias of what is wrong", async () => {
    receiver.answer = { status: 202, body: JSON.stringify(accepted) };
    expect(await send(opsgenie, config())).toBe("HTTP 202 Accepted");
    expect(call()).toMatchObject({
      path: "/v2/alerts",
      headers: { authorization: `GenieKey ${key}` },
      json: {
        message: "shop.example.com expires in 14 days",
        alias: "mc-shop/expiry",
        description: "The certificate of <shop> & co. was to be renewed on 1 June.",
        details: { Certificate: "mc-shop", notification: "ntf-test" },
        entity: "mc-shop",
        source: "certctl",
        priority: "P3",
      },
    });
  });

  test("closes it by the same alias", async () => {
    receiver.answer = { status: 202, body: JSON.stringify(accepted) };
    await send(opsgenie, { ...config(), url: `${receiver.url}/` }, { effect: "resolve" });
    expect(call()).toMatchObject({
      path: "/v2/alerts/mc-shop%2Fexpiry/close?identifierType=alias",
      json: { source: "certctl", note: expect.stringContaining("shop.example.com") },
    });
  });

  test("that refuses is quoted", async () => {
    const body = { message: "Could not authenticate", took: 0.005, requestId: "7d5e" };
    receiver.answer = { status: 401, body: JSON.stringify(body) };
    await expect(send(opsgenie, config())).rejects.toThrow("HTTP 401 Unauthorized: Could not authenticate");
  });
});
