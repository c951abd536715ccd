import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Csr } from "./csr.ts";
import {
  constructed,
  DerError,
  type Element,
  element,
  elements,
  objectIdentifier,
  only,
  tags,
} from "./der.ts";
import { keyAlgorithmOf } from "./keys.ts";
import { NameError } from "./names.ts";
import { readSans } from "./read-certificate.ts";

const commonNameId = objectIdentifier("2.5.4.3");
const extensionRequestId = objectIdentifier("1.2.840.113549.1.9.14");
const sanId = objectIdentifier("2.5.29.17");
const ofRsa = (id: string) => element(tags.sequence, objectIdentifier(id), Uint8Array.of(0x05, 0x00));
/** AlgorithmIdentifiers, DER, and their hash (RFC 5758, RFC 8017). */
const hashes: readonly (readonly [Buffer, string])[] = [
  [element(tags.sequence, objectIdentifier("1.2.840.10045.4.3.2")), "sha256"],
  [element(tags.sequence, objectIdentifier("1.2.840.10045.4.3.3")), "sha384"],
  [ofRsa("1.2.840.113549.1.1.11"), "sha256"],
  [ofRsa("1.2.840.113549.1.1.12"), "sha384"],
  [ofRsa("1.2.840.113549.1.1.13"), "sha512"],
];

/**
 * Reads a CSR of the plain form that agents send: an empty subject or one common name, and names as the only extension. Null: it
 * is another form, or wrong; whoever asks reads it thoroughly then, and says what is wrong.
 */
export function readPlainCsr(der: Buffer): Csr | null {
  try {
    return read(der);
  } catch (error) {
    if (error instanceof DerError || error instanceof NameError) return null;
    throw error;
  }
}

function read(der: Buffer): Csr | null {
  const [info, algorithm, signature, surplus] = elements(only(der, tags.sequence).content);
  if (
    info?.tag !== tags.sequence ||
    algorithm?.tag !== tags.sequence ||
    signature?.tag !== tags.bitString ||
    surplus
  )
    return null;
  const [version, subject, spki, attributes, more] = elements(info.content);
  if (version?.tag !== tags.integer || !version.content.equals(Uint8Array.of(0)) || more) return null;
  if (subject?.tag !== tags.sequence || spki?.tag !== tags.sequence || attributes?.tag !== constructed(0))
    return null;
  const commonName = commonNameOf(subject);
  const extensions = extensionsOf(attributes);
  const hash = hashes.find(([known]) => known.equals(algorithm.raw))?.[1];
  if (commonName === undefined || extensions === null || !hash || signature.content[0] !== 0) return null;
  if (!namesItsCurve(spki)) return null;
  const key = publicKey(spki.raw);
  const keyAlgorithm = key && keyAlgorithmOf(key);
  if (!keyAlgorithm || !verify(hash, info.raw, key, signature.content.subarray(1))) return null;
  return {
    der: Buffer.from(der),
    spki: Buffer.from(spki.raw),
    keyAlgorithm,
    commonName,
    sans: readSans(extensions),
  };
}

/** Null: the subject is empty; undefined: it is no plain one. */
function commonNameOf(subject: Element): string | null | undefined {
  const [name, second] = elements(subject.content);
  if (!name) return null;
  const [pair, other] = elements(name.content);
  if (second || other || name.tag !== tags.set || pair?.tag !== tags.sequence) return undefined;
  const [type, value] = elements(pair.content);
  if (!type?.raw.equals(commonNameId) || value?.tag !== tags.utf8String) return undefined;
  const text = value.content.toString("latin1");
  return /^[\x20-\x7e]{1,64}$/.test(text) ? text : undefined;
}

/** The content of the list of extensions, where names are all that is in it; empty: none is asked for. */
function extensionsOf(attributes: Element): Buffer | null {
  const [request, second] = elements(attributes.content);
  if (!request) return Buffer.alloc(0);
  const [type, values] = elements(request.content);
  if (
    second ||
    request.tag !== tags.sequence ||
    !type?.raw.equals(extensionRequestId) ||
    values?.tag !== tags.set
  )
    return null;
  const extensions = only(values.content, tags.sequence).content;
  const asked = elements(extensions);
  const isNames = ({ tag, content }: Element) =>
    tag === tags.sequence && elements(content)[0]?.raw.equals(sanId) === true;
  return asked.length === 1 && asked.every(isNames) ? extensions : null;
}

function namesItsCurve(spki: Element): boolean {
  const [algorithm] = elements(spki.content);
  const parameters = algorithm && elements(algorithm.content)[1];
  return !parameters || parameters.tag === tags.objectIdentifier || parameters.tag === 0x05;
}

function publicKey(spki: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: spki, type: "spki", format: "der" });
  } catch {
    return null;
  }
}
