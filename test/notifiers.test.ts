import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Receiver, startReceiver } from "./receiver.ts";
import { type MailServer, mailUser, startMailServer } from "./smtp.ts";
import { type System, startSystem } from "./system.ts";

/** Notifiers by REST, as an operator sets them up. */

let parts: AsyncDisposableStack;
let system: System;
let receiver: Receiver;
let mail: MailServer;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  system = parts.use(await startSystem({ env: { CERTCTL_EGRESS_ALLOW: "127.0.0.0/8 ::1/128" } }));
  receiver = parts.use(await startReceiver());
  mail = parts.use(await startMailServer({ security: "starttls", isAuthenticated: true }));
});
afterAll(() => parts.disposeAsync());

const call = (method: string, path: string, body?: unknown) => system.rest(method, `/api/v1${path}`, body);
const mask = "********";
const secret = "a shared secret of the receiver";

const hook = (changes: object = {}) => ({
  name: "hook",
  kind: "webhook",
  config: { url: `${receiver.url}/hook`, secret, ca: receiver.ca },
  ...changes,
});
const post = () => ({
  name: "post",
  kind: "email",
  config: { host: "localhost", port: mail.port, from: "certctl@example.com", ca: mail.ca, ...mailUser },
  default_recipient: "ops@example.com",
});

async function storedConfigs(): Promise<string> {
  const client = new pg.Client({ connectionString: system.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      "SELECT config FROM notifiers UNION ALL SELECT details FROM audit_events",
    );
    return JSON.stringify(rows);
  } finally {
    await client.end();
  }
}

describe("a notifier", () => {
  test("is made, read, listed and archived; its secrets are never shown and sealed at rest", async () => {
    const created = await call("POST", "/notifiers", { id: "nf-hook", ...hook() });
    const shown = hook({ config: { url: `${receiver.url}/hook`, secret: mask, ca: receiver.ca } });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: "/api/v1/notifiers/nf-hook" },
      body: { id: "nf-hook", ...shown, enabled: true, default_recipient: "", archived_at: null },
    });
    expect((await call("GET", "/notifiers/nf-hook")).body).toEqual(created.body);
    expect((await call("GET", "/notifiers?kind=webhook")).body.data).toEqual([created.body]);
    const stored = await storedConfigs();
    expect(stored).toContain("$sealed");
    expect(stored).not.toContain(secret);
    expect(await call("DELETE", "/notifiers/nf-hook")).toMatchObject({ status: 204 });
    expect((await call("GET", "/notifiers")).body.data).toEqual([]);
    expect((await call("GET", "/notifiers?archived=true")).body.data).toMatchObject([{ id: "nf-hook" }]);
    const { name, config } = hook();
    const changed = await call("PUT", "/notifiers/nf-hook", { name, config });
    expect(changed).toMatchObject({ status: 409, body: { reason: "ARCHIVED" } });
    expect(await call("POST", "/notifiers/nf-hook/restore")).toMatchObject({
      status: 200,
      body: { id: "nf-hook", archived_at: null },
    });
  });

  test("keeps a masked secret where it was given for, and nowhere else", async () => {
    await call("POST", "/notifiers", { id: "nf-masked", ...hook({ name: "masked" }) });
    const { body } = await call("GET", "/notifiers/nf-masked");
    const renamed = { ...body, name: "renamed", enabled: false, default_recipient: "" };
    const { id: _id, kind: _kind, created_at: _c, updated_at: _u, archived_at: _a, ...wanted } = renamed;
    expect(await call("PUT", "/notifiers/nf-masked", wanted)).toMatchObject({
      status: 200,
      body: { name: "renamed", enabled: false, config: { secret: mask } },
    });
    expect((await call("GET", "/notifiers?enabled=false")).body.data).toMatchObject([{ id: "nf-masked" }]);
    receiver.received.length = 0;
    expect((await call("POST", "/notifiers/nf-masked/test", {})).body).toMatchObject({ delivered: true });
    expect(receiver.received).toHaveLength(1);
    const moved = { ...wanted, config: { ...wanted.config, url: "https://evil.example/hook" } };
    const refused = await call("PUT", "/notifiers/nf-masked", moved);
    expect(refused).toMatchObject({ status: 400, body: { details: [{ field: "config.secret" }] } });
    expect(refused.body.message).toContain("enter the secret again");
    expect(await call("POST", "/notifiers", { ...moved, kind: "webhook" })).toMatchObject({ status: 400 });
  });

  test("says every mistake in its configuration", async () => {
    const wrong = { name: "w", kind: "email", config: { host: "a b", from: "me", port: 0, sudo: 1 } };
    const { status, body } = await call("POST", "/notifiers", wrong);
    expect(status).toBe(400);
    const fields = body.details.map(({ field }: { field: string }) => field);
    expect(fields.sort()).toEqual(["config", "config.from", "config.host", "config.port"]);
    expect(await call("POST", "/notifiers", hook({ kind: "pigeon" }))).toMatchObject({
      status: 400,
      body: { details: [{ field: "kind" }] },
    });
    const addressed = hook({ name: "addressed", default_recipient: "ops@example.com" });
    expect(await call("POST", "/notifiers", addressed)).toMatchObject({
      status: 400,
      body: { details: [{ field: "default_recipient" }] },
    });
    expect(await call("POST", "/notifiers", { ...post(), default_recipient: "ops" })).toMatchObject({
      status: 400,
    });
  });

  test("has a name and an id of its own", async () => {
    await call("POST", "/notifiers", { id: "nf-one", ...hook({ name: "one" }) });
    const sameName = await call("POST", "/notifiers", hook({ name: "one" }));
    expect(sameName).toMatchObject({ status: 409, body: { reason: "NAME_TAKEN" } });
    const sameId = await call("POST", "/notifiers", { id: "nf-one", ...hook({ name: "other" }) });
    expect(sameId).toMatchObject({ status: 409, body: { code: "already_exists" } });
    expect((await call("GET", "/notifiers?sort=name&q=ON")).body.data).toMatchObject([{ id: "nf-one" }]);
  });
});

test("an address that is never reached is refused when it is written", async () => {
  for (const url of ["http://169.254.169.254/", "https://[::ffff:10.0.0.1]/", "http://0x0a000001/"]) {
    const made = await call("POST", "/notifiers", hook({ name: "meta", config: { url, secret } }));
    expect(made, url).toMatchObject({ status: 400, body: { details: [{ field: "config.url" }] } });
  }
  const { config } = post();
  const host = "10.9.8.7";
  const moved = { name: "post", config: { ...config, host }, default_recipient: "ops@example.com" };
  expect(await call("PUT", "/notifiers/nf-post", moved)).toMatchObject({ status: 404 });
  await call("POST", "/notifiers", { id: "nf-post", ...post() });
  const refused = await call("PUT", "/notifiers/nf-post", moved);
  expect(refused).toMatchObject({ status: 400, body: { details: [{ field: "config.host" }] } });
  expect(refused.body.message).toContain("CERTCTL_EGRESS_ALLOW");
});

describe("a test message", () => {
  test("goes by e-mail to the default recipient, or to another one", async () => {
    const sent = await call("POST", "/notifiers/nf-post/test", {});
    expect(sent).toMatchObject({ status: 200, body: { delivered: true, message: "250 queued as 42" } });
    await call("POST", "/notifiers/nf-post/test", { recipient: "me@example.com" });
    expect(mail.mails.map(({ to }) => to)).toEqual([["ops@example.com"], ["me@example.com"]]);
  });

  test("goes through a configuration that is not saved, masks standing for the saved secrets", async () => {
    const { config } = post();
    const direct = { config: { ...config, password: "wrong" }, recipient: "me@example.com" };
    const refused = await call("POST", "/notifier-kinds/email/test", direct);
    expect(refused).toMatchObject({ status: 200, body: { delivered: false } });
    expect(refused.body.message).toContain("535 authentication failed");
    expect(refused.body.message).not.toContain("wrong");
    const kept = {
      config: { ...config, password: mask },
      recipient: "me@example.com",
      notifier_id: "nf-post",
    };
    expect((await call("POST", "/notifier-kinds/email/test", kept)).body).toMatchObject({ delivered: true });
    const moved = { ...kept, config: { ...kept.config, host: "mail.evil.example" } };
    expect(await call("POST", "/notifier-kinds/email/test", moved)).toMatchObject({ status: 400 });
    const foreign = { ...kept, notifier_id: "nf-hook" };
    expect(await call("POST", "/notifier-kinds/email/test", foreign)).toMatchObject({
      status: 400,
      body: { details: [{ field: "notifier_id" }] },
    });
  });

  test("to a metadata service is refused, on the test as in earnest", async () => {
    const config = { url: "http://169.254.169.254/latest/meta-data/", secret };
    const { body } = await call("POST", "/notifier-kinds/webhook/test", { config });
    expect(body).toMatchObject({ delivered: false });
    expect(body.message).toContain("never connects there");
  });

  test("of e-mail needs somebody to go to", async () => {
    const { config } = post();
    expect(await call("POST", "/notifier-kinds/email/test", { config })).toMatchObject({
      status: 400,
      body: { details: [{ field: "recipient" }] },
    });
  });
});

test("the kinds of notifier say what is secret in them", async () => {
  const { body } = await call("GET", "/notifier-kinds");
  expect(body.data.map(({ kind }: { kind: string }) => kind)).toEqual([
    "email",
    "webhook",
    "slack",
    "teams",
    "pagerduty",
    "opsgenie",
  ]);
  expect(body.data[0]).toMatchObject({
    title: "E-mail",
    addressed: true,
    config_schema: { properties: { password: { secret: true }, host: { destination: true } } },
  });
});
