import { DerError, type Element, elements, only, tags } from "./der.ts";
import { parseSan, type San } from "./names.ts";

/** What is checked of a TBSCertificate. */
export interface ReadTbs {
  serial: Buffer;
  notBefore: Date;
  notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  spki: Buffer;
  sans: San[];
}

/** What is checked of a certificate that was just signed. */
export interface ReadCertificate extends ReadTbs {
  /** TBSCertificate, DER. */
  tbs: Buffer;
  signature: Buffer;
}

/** Reads a version 3 certificate with extensions and without unique identifiers. Throws DerError and NameError. */
export function readCertificate(der: Buffer): ReadCertificate {
  const [tbs, , signature, surplus] = elements(only(der, tags.sequence).content);
  if (!tbs || signature?.tag !== tags.bitString || signature.content[0] !== 0 || surplus)
    throw new DerError("no certificate");
  return { ...readTbs(tbs.raw), tbs: tbs.raw, signature: signature.content.subarray(1) };
}

/** The same of what is, or was, to be signed. */
export function readTbs(der: Buffer): ReadTbs {
  const [version, serial, , , validity, , spki, extensions, more] = elements(
    only(der, tags.sequence).content,
  );
  if (
    version?.tag !== 0xa0 ||
    serial?.tag !== tags.integer ||
    !validity ||
    !spki ||
    extensions?.tag !== 0xa3 ||
    more
  )
    throw new DerError("no certificate of version 3 with extensions");
  const [notBefore, notAfter] = elements(validity.content).map(readTime);
  if (!notBefore || !notAfter) throw new DerError("no validity");
  const number = serial.content;
  return {
    serial: number[0] === 0 && number.length > 1 ? number.subarray(1) : number,
    notBefore,
    notAfter,
    spki: spki.raw,
    sans: readSans(only(extensions.content, tags.sequence).content),
  };
}

/** The subject alternative names of a list of extensions. */
export function readSans(extensions: Buffer): San[] {
  for (const { content } of elements(extensions)) {
    const parts = elements(content);
    if (parts[0]?.content.equals(sanId)) return namesOf(parts.at(-1));
  }
  return [];
}

const sanId = Buffer.from([0x55, 0x1d, 0x11]);

/** GeneralNames (RFC 5280, 4.2.1.6) of the kinds that certctl issues. */
function namesOf(value: Element | undefined): San[] {
  if (value?.tag !== tags.octetString) throw new DerError("an extension without a value");
  return elements(only(value.content, tags.sequence).content).map(({ tag, content }) => {
    const type = kinds[tag];
    if (!type) throw new DerError("a subject alternative name of another kind");
    const san = parseSan(type === "ip" ? addressText(content) : content.toString("latin1"));
    if (san.type !== type) throw new DerError("a subject alternative name that is not of its kind");
    return san;
  });
}

const kinds: Readonly<Record<number, San["type"]>> = { 129: "email", 130: "dns", 134: "uri", 135: "ip" };

function addressText(octets: Buffer): string {
  if (octets.length === 4) return octets.join(".");
  if (octets.length !== 16) throw new DerError("an IP address that is neither of 4 nor of 16 octets");
  return Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2).toString(16)).join(":");
}

function readTime({ tag, content }: Element): Date {
  const text = content.toString("latin1");
  const digits = tag === tags.utcTime ? `20${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (!parts || (tag !== tags.utcTime && tag !== tags.generalizedTime)) throw new DerError("no time");
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map(Number);
  return new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds));
}
