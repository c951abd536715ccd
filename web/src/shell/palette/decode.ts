/** What somebody pasted, and what to look for because of it. */
export type Pasted =
  | { kind: "certificate"; pem: string }
  | { kind: "csr"; pem: string }
  | { kind: "fingerprint"; hex: string }
  | { kind: "url"; host: string }
  | { kind: "text"; text: string };

const pemPattern =
  /-----BEGIN (CERTIFICATE|CERTIFICATE REQUEST|NEW CERTIFICATE REQUEST)-----[\s\S]+?-----END \1-----/;

/** Tells a PEM, a URL, and the hexadecimal of a serial number or a fingerprint from a search text. */
export function recognize(input: string): Pasted {
  const [pem, label] = pemPattern.exec(input) ?? [];
  if (pem) return { kind: label === "CERTIFICATE" ? "certificate" : "csr", pem };
  const text = input.trim();
  const hex = text.replaceAll(/[:\s]/g, "");
  if (/^[0-9A-Fa-f]{16,64}$/.test(hex)) return { kind: "fingerprint", hex };
  if (/^[a-z]+:\/\/\S+$/i.test(text) && URL.canParse(text))
    return { kind: "url", host: new URL(text).hostname };
  return { kind: "text", text };
}

/** What a certificate or a signing request says, read in the browser: nothing of it is sent anywhere. */
export interface Decoded {
  subject: string;
  names: readonly string[];
  issuer?: string;
  notBefore?: Date;
  notAfter?: Date;
  serial?: string;
  /** Lower-case hexadecimal; of a certificate only. */
  fingerprint?: string;
}
