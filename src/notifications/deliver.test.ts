import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newNotifier, newPolicy, newWebhook } from "../../test/channels.ts";
import {
  type ControlPlane,
  issueVersion,
  newAgent,
  newCertificate,
  openControlPlane,
  operator,
  refusalOf,
} from "../../test/fixtures.ts";
import { type Receiver, startReceiver } from "../../test/receiver.ts";
import { type MailServer, mailUser, startMailServer } from "../../test/smtp.ts";
import { whileHeld } from "../../test/while-held.ts";
import type { Transaction } from "../platform/database.ts";
import { deliver, waitMinutes } from "./deliver.ts";
import { requeue } from "./manage.ts";
import { raiseEvent } from "./raise.ts";
import { sendDue } from "./sweep.ts";

const { signal } = new AbortController();

let parts: AsyncDisposableStack;
let plane: ControlPlane;
let receiver: Receiver;
let mail: MailServer;
beforeAll(async () => {
  parts = new AsyncDisposableStack();
  plane = parts.use(await openControlPlane());
  receiver = parts.use(await startReceiver());
  mail = parts.use(await startMailServer({ security: "starttls", isAuthenticated: true }));
});
afterAll(() => parts.disposeAsync());
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = { status: 200, body: "ok" };
  mail.mails.length = 0;
});

/** A notification through a notifier; its id. */
async function raised(notifierId: string): Promise<string> {
  const events = ["RenewalFailed"];
  const renewalPolicyId = await newPolicy(plane, [{ notifierId, thresholdsDays: [], events }]);
  const certificateId = await newCertificate(plane, { renewalPolicyId });
  await plane.db.$transaction((tx) =>
    raiseEvent(
      tx,
      { type: "RenewalFailed", certificateId, jobId: "job-a", error: "sign: no" },
      plane.time.now,
    ),
  );
  const { id } = await plane.db.notification.findFirstOrThrow({ where: { certificateId } });
  return id;
}

async function mailer(changes: object = {}): Promise<string> {
  const config = {
    host: "localhost",
    port: mail.port,
    from: "certctl@example.com",
    ca: mail.ca,
    ...mailUser,
  };
  return newNotifier(plane, "email", { ...config, ...changes }, "ops@example.com");
}

const send = (id: string) => deliver(plane, id, signal);
const rowOf = (id: string) => plane.db.notification.findUniqueOrThrow({ where: { id } });
const triesOf = (notificationId: string) =>
  plane.db.notificationDelivery.findMany({ where: { notificationId }, orderBy: { id: "asc" } });
const pass = (minutes: number) => {
  plane.time.now = new Date(plane.time.now.getTime() + minutes * 60_000);
};

describe("a notification", () => {
  test("is sent once, and its log says what the other side said", async () => {
    const notifierId = await newWebhook(plane, receiver);
    const id = await raised(notifierId);
    await send(id);
    await send(id);
    expect(receiver.received).toHaveLength(1);
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({ id, type: "RenewalFailed" });
    expect(await rowOf(id)).toMatchObject({
      status: "sent",
      attempts: 1,
      lastError: "",
      sentAt: plane.time.now,
    });
    expect(await triesOf(id)).toMatchObject([
      { attempt: 1, delivered: true, words: "HTTP 200 OK", notifierId, recipient: "", at: plane.time.now },
    ]);
  });

  test("is sent by one of six replicas that find it at the same moment", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await raised(await newWebhook(plane, receiver)));
    const replicas = Array.from({ length: 6 }, () => sendDue(plane, plane.time.now, signal));
    await Promise.all(replicas);
    const sent = receiver.received.map(({ headers }) => headers["x-certctl-delivery"]);
    expect(sent.sort()).toEqual(ids.sort());
  });

  test("of a replica that died is sent under the same id when its lease has ended", async () => {
    const id = await raised(await newWebhook(plane, receiver));
    await plane.db.$executeRaw`
      UPDATE notification_events SET lease_id = 'dead', lease_expires_at = now() + interval '90 seconds', attempts = 1
      WHERE id = ${id}`;
    await send(id);
    expect(receiver.received).toEqual([]);
    await plane.db
      .$executeRaw`UPDATE notification_events SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}`;
    await send(id);
    expect(receiver.received).toMatchObject([{ headers: { "x-certctl-delivery": id } }]);
    expect(await rowOf(id)).toMatchObject({ status: "sent", attempts: 2 });
  });

  test("that a stopping process gives up is as it was before", async () => {
    const id = await raised(await newWebhook(plane, receiver));
    const stopping = new AbortController();
    stopping.abort(new Error("stopping"));
    await expect(deliver(plane, id, stopping.signal)).rejects.toThrow("stopping");
    expect(await rowOf(id)).toMatchObject({ status: "pending", attempts: 0, leaseId: null });
    await send(id);
    expect(await rowOf(id)).toMatchObject({ status: "sent" });
  });

  test("through a notifier that was disabled meanwhile is dead at once", async () => {
    const notifierId = await newWebhook(plane, receiver);
    const id = await raised(notifierId);
    await plane.db.notifier.update({ where: { id: notifierId }, data: { enabled: false } });
    await send(id);
    expect(await rowOf(id)).toMatchObject({
      status: "dead",
      lastError: `notifier ${notifierId} is disabled`,
    });
    expect(receiver.received).toEqual([]);
  });
});

describe("a mail server that is down", () => {
  test("is tried five times, further and further apart, then the mail is dead until it is requeued", async () => {
    const id = await raised(await mailer());
    await mail.stop();
    for (const [attempt, minutes] of [2, 4, 8, 16].entries()) {
      await send(id);
      const nextAttemptAt = new Date(plane.time.now.getTime() + minutes * 60_000);
      expect(await rowOf(id)).toMatchObject({ status: "failed", attempts: attempt + 1, nextAttemptAt });
      pass(minutes - 0.1);
      await send(id);
      expect(await rowOf(id)).toMatchObject({ attempts: attempt + 1 });
      pass(0.1);
    }
    await send(id);
    const dead = await rowOf(id);
    expect(dead).toMatchObject({
      status: "dead",
      attempts: 5,
      lastError: expect.stringContaining("ECONNREFUSED"),
    });
    expect(await plane.db.auditEvent.count({ where: { action: "notification_dead", resourceId: id } })).toBe(
      1,
    );
    pass(10_000);
    await mail.start();
    expect(await sendDue(plane, plane.time.now, signal)).toBe(0);
    await requeue(plane.db, operator, { id, notifierId: "" }, plane.time.now);
    await send(id);
    expect(mail.mails).toMatchObject([{ to: ["ops@example.com"], isEncrypted: true }]);
    expect(await rowOf(id)).toMatchObject({ status: "sent", attempts: 1, lastError: "" });
    expect((await triesOf(id)).map(({ delivered }) => delivered)).toEqual([...Array(5).fill(false), true]);
  });

  test("waits two minutes, then twice as long, an hour at most", () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(waitMinutes)).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });
});

test("what a server repeats of a secret is not shown", async () => {
  const id = await raised(await mailer());
  mail.refusal = `no ${mailUser.password} here`;
  await send(id);
  mail.refusal = "";
  const { lastError } = await rowOf(id);
  expect(lastError).toContain("451 no ******** here");
  expect(JSON.stringify(await triesOf(id), (_key, value) => String(value))).not.toContain(mailUser.password);
});

describe("requeueing", () => {
  test("is for what failed: not for what was sent or waits", async () => {
    const id = await raised(await newWebhook(plane, receiver));
    const again = () => refusalOf(requeue(plane.db, operator, { id, notifierId: "" }, plane.time.now));
    expect(await again()).toMatchObject({ code: "FailedPrecondition", reason: "NOT_FAILED" });
    await send(id);
    expect(await again()).toMatchObject({ reason: "NOT_FAILED" });
    const nothing = requeue(plane.db, operator, { id: "ntf-none", notifierId: "" }, plane.time.now);
    expect(await refusalOf(nothing)).toMatchObject({ code: "NotFound" });
  });

  test("is refused while a replica sends it: it would be sent twice", async () => {
    const id = await raised(await newWebhook(plane, receiver));
    receiver.answer = { status: 500, body: "" };
    await send(id);
    await plane.db.$executeRaw`
      UPDATE notification_events SET lease_id = 'other', lease_expires_at = now() + interval '90 seconds'
      WHERE id = ${id}`;
    const again = () => requeue(plane.db, operator, { id, notifierId: "" }, plane.time.now);
    expect(await refusalOf(again())).toMatchObject({
      reason: "NOT_FAILED",
      message: expect.stringContaining("is being sent"),
    });
    await plane.db
      .$executeRaw`UPDATE notification_events SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}`;
    await again();
    expect(await rowOf(id)).toMatchObject({ status: "pending", attempts: 0 });
  });

  test("tells a channel no expiry alert that it has been told", async () => {
    const notifierId = await newWebhook(plane, receiver);
    const renewalPolicyId = await newPolicy(plane, []);
    const agent = await newAgent(plane);
    const certificateId = await newCertificate(plane, { agentId: agent.id, renewalPolicyId });
    const { id: versionId, notAfter } = await issueVersion(plane, agent, certificateId);
    const alert = { type: "CertificateExpiring", certificateId, versionId, notAfter, renewAt: null } as const;
    const raise = () =>
      plane.db.$transaction((tx) => raiseEvent(tx, { ...alert, thresholdDays: 7 }, plane.time.now));
    await raise();
    const { id } = await plane.db.notification.findFirstOrThrow({ where: { versionId } });
    const channel = { renewalPolicyId, notifierId, thresholdsDays: [7], events: [] };
    await plane.db.renewalPolicyChannel.create({ data: channel });
    await raise();
    await raise();
    expect(await plane.db.notification.count({ where: { versionId } })).toBe(2);
    const again = requeue(plane.db, operator, { id, notifierId }, plane.time.now);
    expect(await refusalOf(again)).toMatchObject({ reason: "TOLD_ALREADY" });
    const other = await newWebhook(plane, receiver);
    const tell = (tx: Transaction) =>
      tx.notification.updateMany({ where: { versionId, notifierId }, data: { notifierId: other } });
    const meanwhile = whileHeld(plane, tell, () =>
      requeue(plane.db, operator, { id, notifierId: other }, plane.time.now),
    );
    expect(await refusalOf(meanwhile)).toMatchObject({ reason: "TOLD_ALREADY" });
  });

  test("sends what had no channel through the notifier that is named", async () => {
    const certificateId = await newCertificate(plane, { renewalPolicyId: await newPolicy(plane, []) });
    await plane.db.$transaction((tx) =>
      raiseEvent(tx, { type: "RenewalFailed", certificateId, jobId: "job-a", error: "no" }, plane.time.now),
    );
    const { id } = await plane.db.notification.findFirstOrThrow({ where: { certificateId } });
    const without = requeue(plane.db, operator, { id, notifierId: "" }, plane.time.now);
    expect(await refusalOf(without)).toMatchObject({ reason: "NO_CHANNEL", fields: ["notifier_id"] });
    await requeue(plane.db, operator, { id, notifierId: await mailer() }, plane.time.now);
    await send(id);
    expect(mail.mails).toMatchObject([{ to: ["ops@example.com"] }]);
  });

  test("through a notifier that cannot send says why", async () => {
    const notifierId = await newWebhook(plane, receiver);
    const id = await raised(notifierId);
    await plane.db.notifier.update({ where: { id: notifierId }, data: { enabled: false } });
    await send(id);
    const refused = await refusalOf(requeue(plane.db, operator, { id, notifierId: "" }, plane.time.now));
    expect(refused).toMatchObject({ reason: "CANNOT_SEND", message: `notifier ${notifierId} is disabled` });
  });
});
