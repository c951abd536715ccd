import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeChain } from "../../test/certificates.ts";
import { notice } from "../../test/notice.ts";
import { type MailServer, mailUser, startMailServer } from "../../test/smtp.ts";
import { createEgress } from "../platform/egress.ts";
import { email } from "./email.ts";
import type { Notice } from "./notifier.ts";

let parts: AsyncDisposableStack;
beforeEach(() => {
  parts = new AsyncDisposableStack();
});
afterEach(() => parts.disposeAsync());

async function open(options: Parameters<typeof startMailServer>[0]): Promise<MailServer> {
  return parts.use(await startMailServer(options));
}

function send(
  server: MailServer,
  config: object = {},
  changes: Partial<Notice> = {},
  allow = ["127.0.0.0/8"],
) {
  const settings = { host: "localhost", port: server.port, from: "certctl@example.com", ca: server.ca };
  return email.send(
    notice({ recipient: "ops@example.com", ...changes }),
    { ...settings, ...config },
    { signal: new AbortController().signal, egress: createEgress(allow), now: new Date() },
  );
}

describe("e-mail", () => {
  test.each(["starttls", "tls"] as const)("goes by %s, encrypted, in HTML and text", async (security) => {
    const server = await open({ security });
    const answer = await send(server, { security });
    expect(answer).toBe("250 queued as 42");
    const [mail, ...more] = server.mails;
    expect(more).toEqual([]);
    expect(mail).toMatchObject({
      from: "certctl@example.com",
      to: ["ops@example.com"],
      isEncrypted: true,
      user: "",
    });
    expect(mail?.raw).toMatch(/^Subject: shop.example.com expires in 14 days\r$/m);
    expect(mail?.raw).toMatch(/^Content-Type: text\/plain/m);
    expect(mail?.raw).toMatch(/^Content-Type: text\/html/m);
    expect(mail?.raw).toMatch(/^Message-ID: <ntf-test@example.com>\r$/m);
    expect(mail?.raw).toMatch(/^References: <mc-shop.thread@example.com>\r$/m);
    expect(mail?.raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(mail?.raw).toMatch(/^From: certctl <certctl@example.com>\r$/m);
  });

  test("says who sends it", async () => {
    const server = await open({ security: "starttls" });
    await send(server, { from_name: "PKI team" });
    expect(server.mails[0]?.raw).toMatch(/^From: PKI team <certctl@example.com>\r$/m);
  });

  test("signs in where it is asked to", async () => {
    const server = await open({ security: "starttls", isAuthenticated: true });
    await send(server, mailUser);
    expect(server.mails[0]).toMatchObject({ user: "certctl" });
    await expect(send(server)).rejects.toThrow(/530|authentication/i);
  });

  test("with a wrong password is refused in the server's words, without the password", async () => {
    const server = await open({ security: "starttls", isAuthenticated: true });
    const sent = send(server, { ...mailUser, password: "wrong password" });
    await expect(sent).rejects.toThrow("535 authentication failed");
    await expect(sent).rejects.not.toThrow("wrong password");
    expect(server.mails).toEqual([]);
  });

  test("is not sent to a server that nobody vouches for", async () => {
    const server = await open({ security: "starttls" });
    const other = makeChain({ sans: ["localhost"] });
    await expect(send(server, { ca: other.rootPem })).rejects.toThrow(/certificate/);
    await expect(send(server, { ca: undefined })).rejects.toThrow(/certificate/);
    expect(server.mails).toEqual([]);
  });

  test("is not sent to a server of another name", async () => {
    const server = await open({ security: "tls", sans: ["mail.example.com"] });
    await expect(send(server, { security: "tls" })).rejects.toThrow(/altnames/);
    expect(server.mails).toEqual([]);
  });

  test("is not sent where TLS was stripped off", async () => {
    const server = await open({ security: "none" });
    await expect(send(server)).rejects.toThrow(/STARTTLS/);
    expect(server.mails).toEqual([]);
  });

  test("that the server does not take fails in its words", async () => {
    const server = await open({ security: "starttls" });
    server.refusal = "4.7.1 greylisted, come back later";
    await expect(send(server)).rejects.toThrow("451 4.7.1 greylisted, come back later");
  });

  test("to a server that is down says so, and to an internal one that it is not allowed", async () => {
    const server = await open({ security: "starttls" });
    await expect(send(server, {}, {}, [])).rejects.toThrow(/CERTCTL_EGRESS_ALLOW/);
    await server.stop();
    await expect(send(server)).rejects.toThrow(/ECONNREFUSED/);
  });

  test("shows what names say and lets none of it act", async () => {
    const server = await open({ security: "starttls" });
    const subject = "<b>x</b>\r\nBcc: evil@example.com";
    await send(server, {}, { subject, facts: [{ name: "Name", value: "<script>alert(1)</script>" }] });
    const [mail] = server.mails;
    expect(mail?.to).toEqual(["ops@example.com"]);
    const [head = "", ...bodies] = mail?.raw.split("\r\n\r\n") ?? [];
    expect(head).not.toMatch(/^Bcc:/m);
    const html = bodies.join("\r\n\r\n").split("text/html")[1] ?? "";
    expect(html).toContain("&lt;script&gt;");
    expect(html).not.toMatch(/<script|<b>/);
  });
});

describe("its configuration", () => {
  const wanted = { host: "mail.example.com", from: "certctl@example.com" };
  test.each([
    ["a password without a username", { password: "x" }],
    ["a username without a password", { username: "x" }],
    ["a host that is none", { host: "smtp://mail.example.com" }],
    ["a sender that is none", { from: "certctl" }],
    ["a sender's name of two lines", { from_name: "a\r\nBcc: b" }],
    ["a port that is none", { port: 70_000 }],
    ["sending in the clear", { security: "none" }],
    ["a private key for a CA", { ca: makeChain({ sans: ["a.example"] }).keyPem }],
    ["what it does not know", { verify: false }],
  ])("refuses %s", (_what, change) => {
    expect(email.config.safeParse({ ...wanted, ...change }).success).toBe(false);
  });

  test("says its defaults", () => {
    expect(email.config.parse(wanted)).toEqual({
      ...wanted,
      port: 587,
      security: "starttls",
      from_name: "certctl",
    });
  });
});
