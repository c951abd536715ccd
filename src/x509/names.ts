import { isIP } from "node:net";
import { domainToASCII, domainToUnicode } from "node:url";

/** A subject alternative name (RFC 5280, 4.2.1.6) in canonical form: two names are the same iff their values are. */
export interface San {
  type: "dns" | "ip" | "email" | "uri";
  value: string;
}

/** Thrown for a name that no certificate may carry; the message says why. */
export class NameError extends Error {}

/**
 * Reads a subject alternative name as people write it and brings it into canonical form: DNS names as lower-case
 * A-labels without a trailing dot, IP addresses in their shortest text, e-mail addresses with a lower-case domain.
 */
export function parseSan(text: string): San {
  if (text !== text.trim() || text === "") throw new NameError(`"${text}" is empty or has spaces around it`);
  if (isIP(text) !== 0) return { type: "ip", value: canonicalIp(text) };
  if (text.includes("://") || /^urn:/i.test(text)) return { type: "uri", value: canonicalUri(text) };
  if (text.includes("@")) return { type: "email", value: canonicalEmail(text) };
  return { type: "dns", value: canonicalDns(text) };
}

/** The canonical values of names, each once, sorted. Throws NameError. */
export function canonicalSet(names: readonly San[]): string[] {
  return [...new Set(names.map(({ type, value }) => `${type}:${value}`))].sort();
}

/** Whether a name stands for this very machine, whoever asks: it tells nobody apart. */
export function isLoopback(name: string): boolean {
  if (isIP(name) === 0) return name === "localhost" || name.endsWith(".localhost");
  return name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}

/** Whether a certificate with this name speaks for a host or address (RFC 9525, 6.3). */
export function covers(san: San, name: string): boolean {
  if (san.type === "dns" && san.value.startsWith("*."))
    return san.value.slice(1) === name.slice(name.indexOf("."));
  return (san.type === "dns" || san.type === "ip") && san.value === name;
}

export function canonicalDns(text: string): string {
  const isWildcard = text.startsWith("*.");
  const host = (isWildcard ? text.slice(2) : text).replace(/\.$/, "");
  if (host.includes("*")) throw new NameError(`"${text}": * may only stand for the whole leftmost label`);
  if (/[^\p{L}\p{M}\p{N}.-]/u.test(host)) throw new NameError(`"${text}" is not a DNS name`);
  const ascii = domainToASCII(host);
  const labels = ascii.split(".");
  const isHostName = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  // What looks like an A-label and stands for no U-label is passed on as it is by domainToASCII.
  const isFake = labels.some((label) => label.startsWith("xn--") && domainToUnicode(label) === label);
  // A last label of digits only is an IPv4 address to every resolver (WHATWG URL, 3.5).
  if (!isHostName || isFake || isIP(ascii) !== 0 || /^[0-9]+$/.test(labels.at(-1) ?? "")) {
    throw new NameError(`"${text}" is not a DNS name`);
  }
  if (isWildcard && labels.length < 2) throw new NameError(`"${text}": a wildcard needs two labels after it`);
  const name = isWildcard ? `*.${ascii}` : ascii;
  if (name.length > 253) throw new NameError(`"${text}" is longer than 253 characters`);
  return name;
}

export function canonicalIp(text: string): string {
  if (text.includes("%")) throw new NameError(`"${text}": an address with a zone is valid on one link only`);
  return isIP(text) === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}

export function canonicalEmail(text: string): string {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  if (!/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/.test(local))
    throw new NameError(`"${text}" is not an e-mail address`);
  return `${local}@${canonicalDns(text.slice(at + 1))}`;
}

export function canonicalUri(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) throw new NameError(`"${text}" is not a URI`);
  return text;
}
