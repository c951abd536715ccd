const privateKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g;
const tailOfPrivateKey = /^[\s\S]*-----END [A-Z0-9 ]*PRIVATE KEY-----/;

/**
 * Makes foreign text, such as a command's output, fit to leave the host: no private-key PEM, not even a part of one,
 * no control characters (PostgreSQL takes no NUL) and at most so many characters, of which the end is kept.
 */
export function freeText(text: string, limit = 8192): string {
  const safe = text
    .toWellFormed()
    .replace(/(?![\n\t])\p{Cc}/gu, "")
    .replace(privateKey, "[private key removed]")
    .replace(tailOfPrivateKey, "[private key removed]")
    .trim();
  return safe.length <= limit ? safe : `…${safe.slice(1 - limit)}`.toWellFormed();
}
