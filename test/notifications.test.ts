import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Receiver, startReceiver } from "./receiver.ts";
import { type MailServer, startMailServer } from "./smtp.ts";
import { type System, startSystem } from "./system.ts";

/** From what happens to a certificate to what people are told, by REST. */

let parts: AsyncDisposableStack;
let system: System;
let receiver: Receiver;
let mail: MailServer;

const call = (method: string, path: string, body?: unknown) => system.rest(method, `/api/v1${path}`, body);

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem({ env: { CERTCTL_EGRESS_ALLOW: "127.0.0.0/8,::1/128" } }));
  receiver = parts.use(await startReceiver());
  mail = parts.use(await startMailServer({ security: "starttls" }));
  parts.use(await system.startAgent("ag-one"));
  await call("POST", "/notifiers", {
    id: "nf-hook",
    name: "hook",
    kind: "webhook",
    config: { url: receiver.url, secret: "a secret of the receiver", ca: receiver.ca },
  });
  await call("POST", "/notifiers", {
    id: "nf-post",
    name: "post",
    kind: "email",
    config: { host: "localhost", port: mail.port, from: "certctl@example.com", ca: mail.ca },
    default_recipient: "ops@example.com",
  });
});
afterAll(() => parts.disposeAsync());

/** A certificate of one agent under a policy with these channels, issued. */
async function issue(name: string, channels: object[]): Promise<void> {
  await call("POST", "/renewal-policies", { id: `rp-${name}`, name, channels });
  await call("POST", "/certificates", {
    id: `mc-${name}`,
    name,
    common_name: `${name}.example.test`,
    agent_id: "ag-one",
    renewal_policy_id: `rp-${name}`,
  });
  const job = await system.renew(`mc-${name}`);
  expect(job.outcome).toBe("Issued");
}

async function notification(query: string, isWanted: (row: Row) => boolean = () => true): Promise<Row> {
  let found: Row | undefined;
  await expect
    .poll(async () => {
      const { body } = await call("GET", `/notifications?${query}`);
      found = body.data[0];
      return found !== undefined && isWanted(found);
    })
    .toBe(true);
  if (!found) throw new Error("no notification");
  return found;
}

interface Row {
  id: string;
  status: string;
  attempts: number;
  last_error: string;
}

const issued = { thresholds_days: [30], events: ["CertificateIssued"] };

test("an issuance is told at once, and the log says what the other side said", async () => {
  await issue("told", [{ notifier_id: "nf-hook", ...issued }]);
  const { id } = await notification("certificate_id=mc-told&status=sent");
  const { body } = await call("GET", `/notifications/${id}`);
  expect(body).toMatchObject({
    type: "CertificateIssued",
    severity: "Info",
    effect: "resolve",
    subject: "told.example.test has a new certificate",
    certificate_id: "mc-told",
    agent_id: "",
    threshold_days: null,
    notifier_id: "nf-hook",
    channel: "webhook",
    attempts: 1,
    last_error: "",
    read: false,
    thread: "mc-told",
    thread_size: 1,
    next_attempt_at: null,
    deliveries: [{ attempt: 1, delivered: true, message: "HTTP 200 OK", notifier_id: "nf-hook" }],
  });
  expect(body.facts.map(({ name }: { name: string }) => name)).toEqual([
    "Certificate",
    "Serial",
    "Valid until",
  ]);
  const told = receiver.received.filter(({ headers }) => headers["x-certctl-delivery"] === id);
  expect(told).toHaveLength(1);
});

test("what fails shows why and is sent when it is requeued", async () => {
  await mail.stop();
  await issue("late", [{ notifier_id: "nf-post", ...issued }]);
  const failed = await notification("certificate_id=mc-late", ({ status }) => status === "failed");
  expect(failed.last_error).toContain("ECONNREFUSED");
  await mail.start();
  expect(await call("POST", `/notifications/${failed.id}/requeue`, {})).toMatchObject({
    status: 202,
    body: { id: failed.id, recipient: "ops@example.com" },
  });
  await notification("certificate_id=mc-late&status=sent");
  expect(mail.mails).toMatchObject([{ to: ["ops@example.com"] }]);
  expect(await call("POST", `/notifications/${failed.id}/requeue`, {})).toMatchObject({
    status: 409,
    body: { reason: "NOT_FAILED" },
  });
});

test("two control planes send each notification once", async () => {
  const replica = await system.startReplica();
  const channels = [{ notifier_id: "nf-hook", ...issued }];
  await call("POST", "/renewal-policies", { id: "rp-pair", name: "pair", channels });
  const ids = Array.from({ length: 8 }, (_, i) => `mc-pair-${i}`);
  for (const id of ids) {
    const wanted = { id, name: id, common_name: `${id}.example.test`, agent_id: "ag-one" };
    await replica("POST", "/api/v1/certificates", { ...wanted, renewal_policy_id: "rp-pair" });
  }
  const both = [system.rest, replica];
  await Promise.all(ids.map((id, i) => both[i % 2]?.("POST", `/api/v1/certificates/${id}/renew`, {})));
  await expect
    .poll(async () => (await call("GET", "/notifications?q=pair&status=sent&per_page=1")).body.total)
    .toBe(ids.length);
  const told = receiver.received.flatMap(({ body }) => {
    const { thread } = JSON.parse(body);
    return ids.includes(thread) ? [thread] : [];
  });
  expect(told.sort()).toEqual(ids);
});

describe("the list", () => {
  const idsOf = async (query: string) =>
    (await call("GET", `/notifications?${query}`)).body.data.map(({ id }: { id: string }) => id);

  test("is filtered by every column", async () => {
    await issue("both", [
      { notifier_id: "nf-hook", ...issued },
      { notifier_id: "nf-post", ...issued },
    ]);
    await expect.poll(async () => (await idsOf("certificate_id=mc-both&status=sent")).length).toBe(2);
    const of = (query: string) => idsOf(`certificate_id=mc-both&${query}`);
    expect(await of("notifier_id=nf-hook")).toEqual(await of("channel=webhook"));
    expect(await of("channel=email")).toHaveLength(1);
    expect(await of("type=CertificateIssued&type=AgentOffline")).toHaveLength(2);
    expect(await of("type=RenewalFailed")).toEqual([]);
    expect(await of("status=dead&status=failed")).toEqual([]);
    expect(await of("q=OPS%40example")).toEqual(await of("channel=email"));
    expect(await of("thread=mc-told")).toEqual([]);
    expect(await of("agent_id=ag-one")).toEqual([]);
    expect(await of("folded=true")).toHaveLength(1);
    const { body } = await call("GET", "/notifications?certificate_id=mc-both&per_page=1&sort=created_at");
    expect(body).toMatchObject({ total: 2, per_page: 1, data: [{ thread_size: 2 }] });
    expect(await idsOf(`certificate_id=mc-both&per_page=1&cursor=${body.next_cursor}`)).toHaveLength(1);
    expect((await call("GET", "/notifications?sort=message")).status).toBe(400);
    expect((await call("GET", "/notifications?status=Sent")).status).toBe(400);
  });

  test("knows what was read, by one and by all", async () => {
    const [one, other] = await idsOf("certificate_id=mc-both");
    expect(await call("POST", `/notifications/${one}/read`)).toMatchObject({
      status: 200,
      body: { read: true },
    });
    expect(await idsOf("certificate_id=mc-both&read=true")).toEqual([one]);
    expect(await idsOf("certificate_id=mc-both&read=false")).toEqual([other]);
    const back = await call("POST", `/notifications/${one}/read`, { read: false });
    expect(back).toMatchObject({ body: { read: false } });
    expect((await call("POST", "/notifications/read-all", { thread: "mc-both" })).body).toEqual({ count: 2 });
    expect((await idsOf("read=false")).length).toBeGreaterThan(0);
    await call("POST", "/notifications/read-all", {});
    expect(await idsOf("read=false")).toEqual([]);
    expect((await call("POST", "/notifications/ntf-none/read")).status).toBe(404);
  });
});

describe("a renewal policy's channels", () => {
  const channel = { notifier_id: "nf-hook", thresholds_days: [14], events: ["RenewalFailed"] };

  test("are shown, replaced, and hold their notifier", async () => {
    const created = await call("POST", "/renewal-policies", { id: "rp-ch", name: "ch", channels: [channel] });
    expect(created).toMatchObject({ status: 201, body: { channels: [channel] } });
    const { body } = await call("DELETE", "/notifiers/nf-hook");
    expect(body).toMatchObject({ reason: "IN_USE", details: [{ field: "renewal_policies" }] });
    const changed = { ...channel, thresholds_days: [7, 0], events: [] };
    const replaced = await call("PUT", "/renewal-policies/rp-ch", { name: "ch", channels: [changed] });
    expect(replaced).toMatchObject({ status: 200, body: { channels: [changed] } });
    await call("PUT", "/renewal-policies/rp-ch", { name: "ch" });
    expect((await call("GET", "/renewal-policies/rp-ch")).body.channels).toEqual([]);
  });

  test("name every mistake", async () => {
    const channels = [
      { notifier_id: "nf-none", events: ["RenewalFailed"] },
      channel,
      channel,
      { notifier_id: "nf-post" },
      { notifier_id: "nf-post", thresholds_days: [99] },
    ];
    const { status, body } = await call("POST", "/renewal-policies", { name: "wrong", channels });
    expect(status).toBe(400);
    expect(body.details.map(({ field }: { field: string }) => field)).toEqual([
      "channels[0].notifier_id",
      "channels[2].notifier_id",
      "channels[3]",
      "channels[4].notifier_id",
      "channels[4].thresholds_days",
    ]);
    const expiring = { ...channel, events: ["CertificateExpiring"] };
    expect((await call("POST", "/renewal-policies", { name: "wrong", channels: [expiring] })).status).toBe(
      400,
    );
  });
});

test("the scheduler shows that alerts and notifications are looked after", async () => {
  const { body } = await call("GET", "/scheduler");
  const tasks = Object.fromEntries(body.data.map((task: { name: string }) => [task.name, task]));
  expect(tasks).toMatchObject({
    "expiry-alerts": { interval_seconds: 3_600, last_error: "" },
    notifications: { interval_seconds: 60, last_error: "" },
  });
});
