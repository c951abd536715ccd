import { isIP } from "node:net";

/** Address and mask, as name constraints have them: 8 or 32 octets. The CIDR is canonical, see `canonicalCidr`. */
export function addressBytes(cidr: string): Buffer {
  const [address = "", bits = ""] = cidr.split("/");
  const octets = octetsOf(address);
  const mask = Buffer.alloc(octets.length);
  for (let i = 0; i < mask.length; i++) {
    const left = Math.min(8, Math.max(0, Number(bits) - 8 * i));
    mask[i] = (0xff << (8 - left)) & 0xff;
  }
  return Buffer.concat([octets.map((octet, i) => octet & (mask[i] ?? 0)), mask]);
}

/** The CIDR of address and mask. */
export function cidrOf(octets: Uint8Array): string {
  const half = octets.length / 2;
  const mask = octets.subarray(half);
  let bits = 0;
  for (const octet of mask) bits += octet.toString(2).replaceAll("0", "").length;
  return `${addressText(octets.subarray(0, half))}/${bits}`;
}

/** The shortest text of a CIDR, without bits beyond its mask; null: it is none. An address alone is one with all bits. */
export function canonicalCidr(text: string): string | null {
  const [address = "", bits, more] = text.split("/");
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  if (family === 0 || more !== undefined || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return null;
  const count = bits === undefined ? most : Number(bits);
  return count > most ? null : cidrOf(addressBytes(`${address}/${count}`));
}

function octetsOf(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const words = (part: string) =>
    (part === "" ? [] : part.split(":")).map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), words(tail ?? "")];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  const octets = Buffer.alloc(16);
  for (const [i, word] of all.entries()) octets.writeUInt16BE(word, i * 2);
  return octets;
}

function addressText(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  const buffer = Buffer.from(octets);
  const words = Array.from({ length: 8 }, (_, i) => buffer.readUInt16BE(i * 2).toString(16));
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}
