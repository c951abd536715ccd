import type { Notice } from "../src/notifiers/notifier.ts";

/** Something to tell: a certificate that expires. */
export function notice(changes: Partial<Notice> = {}): Notice {
  return {
    id: "ntf-test",
    type: "CertificateExpiring",
    severity: "Warning",
    effect: "trigger",
    subject: "shop.example.com expires in 14 days",
    message: "The certificate of <shop> & co. was to be renewed on 1 June.",
    facts: [
      { name: "Certificate", value: "mc-shop" },
      { name: "Valid until", value: "2030-06-15T12:00:00Z" },
    ],
    threadKey: "mc-shop",
    incidentKey: "mc-shop/expiry",
    recipient: "",
    at: new Date("2030-06-01T12:00:00Z"),
    ...changes,
  };
}
