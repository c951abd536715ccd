import { isIP } from "node:net";
import nodemailer from "nodemailer";
import { z } from "zod";
import { ca } from "../connectors/schema.ts";
import { emailHtml, emailText } from "./email-body.ts";
import { defineNotifier, type Notice, NotifierError } from "./notifier.ts";

const config = z
  .strictObject({
    host: z
      .string()
      .regex(/^[A-Za-z0-9.:-]{1,253}$/, "must be a host name or an IP address")
      .meta({ destination: true }),
    port: z.int().min(1).max(65_535).default(587).meta({ destination: true }),
    security: z.enum(["starttls", "tls"]).default("starttls").meta({
      destination: true,
      description: "STARTTLS (port 587), or TLS from the first octet (port 465)",
    }),
    username: z.string().min(1).max(256).optional(),
    password: z.string().min(1).max(1_024).meta({ secret: true }).optional(),
    from: z.email(),
    from_name: z
      .string()
      .regex(/^[^\r\n]{1,128}$/, "must be one line")
      .default("certctl"),
    ca,
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    path: ["password"],
    error: "is needed with a username, and only then",
  });

const limitMs = 20_000;

/** E-mail by SMTP. The server has to prove who it is: there is no sending without TLS, and none past a wrong certificate. */
export const email = defineNotifier({
  kind: "email",
  title: "E-mail",
  config,
  isAddressed: true,
  keepsIncidents: false,
  async send(notice, settings, { egress, signal: stopped }) {
    const { host, port, security } = settings;
    const limit = AbortSignal.timeout(limitMs);
    const signal = AbortSignal.any([stopped, limit]);
    const connection = await egress.connect({ host, port }, signal);
    const transport = nodemailer.createTransport({
      connection,
      host,
      port,
      secure: security === "tls",
      requireTLS: security === "starttls",
      tls: {
        minVersion: "TLSv1.2",
        rejectUnauthorized: true,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(settings.ca === undefined ? {} : { ca: settings.ca }),
      },
      ...(settings.username === undefined
        ? {}
        : { auth: { user: settings.username, pass: settings.password ?? "" } }),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const stop = () => connection.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const { response } = await transport.sendMail(mail(notice, settings));
      return response;
    } catch (error) {
      stopped.throwIfAborted();
      throw new NotifierError(
        limit.aborted ? `${host} took longer than ${limitMs / 1000} s` : wordsOf(error),
      );
    } finally {
      signal.removeEventListener("abort", stop);
      transport.close();
      connection.destroy();
    }
  },
});

function mail(notice: Notice, { from, from_name: name }: z.output<typeof config>) {
  const domain = from.slice(from.lastIndexOf("@") + 1);
  const thread = `<${notice.threadKey}.thread@${domain}>`;
  return {
    from: { name, address: from },
    to: { name: "", address: notice.recipient },
    subject: notice.subject.replace(/\s+/g, " "),
    text: emailText(notice),
    html: emailHtml(notice),
    date: notice.at,
    messageId: `<${notice.id}@${domain}>`,
    // Mail programs fold what refers to the same message, although that one was never sent.
    inReplyTo: thread,
    references: thread,
    headers: { "Auto-Submitted": "auto-generated", "X-Certctl-Event": notice.type },
  };
}

/** What the server said and to what, or what went wrong on the way. */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, " ").slice(0, 300);
}
