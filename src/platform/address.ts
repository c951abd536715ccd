import { BlockList, isIP } from "node:net";

/**
 * Where connections may go. `never`: the host itself, link-local and what clouds answer with credentials. `internal`: only
 * what the operator lists. `open`: the Internet.
 */
export type Reach = "never" | "internal" | "open";

/** Thrown for text that is no CIDR; the message says which. */
export class CidrError extends Error {}

const never = cidrList([
  "0.0.0.0/8",
  "169.254.0.0/16",
  "100.100.100.200/32",
  "192.0.0.192/32",
  "168.63.129.16/32",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/128",
  "fe80::/10",
  "ff00::/8",
  "fd00:ec2::/32",
]);

/** IANA's special-purpose registries (RFC 6890), without what is in `never`. */
const internal = cidrList([
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "240.0.0.0/4",
  "::1/128",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "fc00::/7",
  "fec0::/10",
]);

/** A list of CIDRs to check addresses against. Throws CidrError. */
export function cidrList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", bits = "", ...more] = cidr.split("/");
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    if (family === 0 || more.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most)
      throw new CidrError(`"${cidr}" is not a CIDR such as 10.0.0.0/8 or fd00::/8`);
    list.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/** How far away an IP address is, whichever way it is written. `allowed` turns internal ones into open ones. */
export function reachOf(address: string, allowed: BlockList): Reach {
  const plain = address.replace(/%.*$/, "");
  if (isIP(plain) === 0) return "never";
  const meanings = [plain, ...embeddedIpv4(plain)];
  const isIn = (list: BlockList) =>
    meanings.some((meaning) => list.check(meaning, isIP(meaning) === 4 ? "ipv4" : "ipv6"));
  if (isIn(never)) return "never";
  return isIn(internal) && !isIn(allowed) ? "internal" : "open";
}

/**
 * The IPv4 addresses that a network may deliver an IPv6 address to: mapped, compatible and translated ones, NAT64 (RFC
 * 6052, RFC 8215) and 6to4.
 */
function embeddedIpv4(address: string): string[] {
  if (isIP(address) !== 6) return [];
  const words = wordsOf(address);
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0] = words;
  const last = ipv4(w6, w7);
  const startsWithZeros = w0 === 0 && w1 === 0 && w2 === 0 && w3 === 0;
  if (startsWithZeros && (w4 === 0 || w4 === 0xffff) && (w5 === 0 || w5 === 0xffff))
    return w4 === 0 && w5 === 0 && w6 === 0 && w7 <= 1 ? [] : [last];
  if (w0 === 0x64 && w1 === 0xff9b) {
    // A local prefix of 48 bits has the address around octet 8, and next to nothing at the end.
    const isAtEnd = w2 === 0 || w6 >= 0x100;
    return isAtEnd ? [last] : [ipv4(w3, ((w4 & 0xff) << 8) | (w5 >> 8))];
  }
  return w0 === 0x2002 ? [ipv4(w1, w2)] : [];
}

function ipv4(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

function wordsOf(address: string): number[] {
  // The URL parser writes every form, dotted endings too, as hexadecimal words.
  const [left = "", right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const read = (part: string) =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  if (right === undefined) return read(left);
  const ends = [read(left), read(right)] as const;
  return [...ends[0], ...new Array<number>(8 - ends[0].length - ends[1].length).fill(0), ...ends[1]];
}
