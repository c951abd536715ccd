type Label = "CERTIFICATE" | "CERTIFICATE REQUEST" | "PUBLIC KEY";

/** PEM of DER (RFC 7468), with the line length that every reader takes. */
export function pem(label: Label, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** The DER of every block with this label, in order. */
export function fromPem(label: Label, text: string): Buffer[] {
  const blocks = text.matchAll(
    new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]*)-----END ${label}-----`, "g"),
  );
  return Array.from(blocks, ([, body = ""]) => Buffer.from(body.replace(/\s/g, ""), "base64"));
}
