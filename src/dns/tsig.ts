import { createHmac, timingSafeEqual } from "node:crypto";
import { classes, encodeName, encodeRecord, lastRecordAt, skipName, types } from "./wire.ts";

/** A key that a name server knows, too. */
export interface TsigKey {
  name: string;
  algorithm: "hmac-sha256" | "hmac-sha384" | "hmac-sha512";
  /** Base64. */
  secret: string;
}

const fudgeSeconds = 300;
/** RFC 8945, 3 and 5.2. */
const errors: Record<number, string> = { 16: "BADSIG", 17: "BADKEY", 18: "BADTIME", 22: "BADTRUNC" };

/** A message that somebody else may have sent. */
export class TsigError extends Error {}

/** The message with its signature (RFC 8945, 4), and the code in it, which the answer's signature covers. */
export function signMessage(message: Buffer, key: TsigKey, now: Date): { signed: Buffer; mac: Buffer } {
  const seconds = Math.floor(now.getTime() / 1_000);
  const mac = macOf(key, [message, variables(key, seconds, 0, Buffer.alloc(0))]);
  const rest = Buffer.alloc(6);
  message.copy(rest, 0, 0, 2);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(mac.length);
  const data = Buffer.concat([encodeName(key.algorithm), timeAndFudge(seconds), size, mac, rest]);
  const record = encodeRecord(key.name, types.TSIG, classes.ANY, 0, data);
  const signed = Buffer.concat([message, record]);
  signed.writeUInt16BE(message.readUInt16BE(10) + 1, 10);
  return { signed, mac };
}

/** Throws TsigError unless an answer was signed with the key, for this request and lately (RFC 8945, 5.3). */
export function requireSigned(answer: Buffer, key: TsigKey, requestMac: Buffer, now: Date): void {
  const last = lastRecordAt(answer);
  if (last?.type !== types.TSIG) throw new TsigError("the name server's answer is not signed");
  const { data, at } = last;
  const fixed = skipName(data, 0);
  const seconds = data.readUIntBE(fixed, 6);
  const size = data.readUInt16BE(fixed + 8);
  const mac = data.subarray(fixed + 10, fixed + 10 + size);
  const error = data.readUInt16BE(fixed + 10 + size + 2);
  const other = data.subarray(fixed + 10 + size + 6);
  if (error !== 0) throw new TsigError(`the name server refuses the TSIG key: ${errors[error] ?? error}`);
  const unsigned = Buffer.from(answer.subarray(0, at));
  unsigned.writeUInt16BE(answer.readUInt16BE(10) - 1, 10);
  data.copy(unsigned, 0, fixed + 10 + size, fixed + 10 + size + 2);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(requestMac.length);
  const expected = macOf(key, [length, requestMac, unsigned, variables(key, seconds, error, other)]);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected))
    throw new TsigError("the name server's answer has a wrong signature");
  if (Math.abs(now.getTime() / 1_000 - seconds) > fudgeSeconds)
    throw new TsigError("the name server's clock is more than 5 minutes off");
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const mac = createHmac(algorithm.replace("hmac-", ""), Buffer.from(secret, "base64"));
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function variables({ name, algorithm }: TsigKey, seconds: number, error: number, other: Buffer): Buffer {
  const fixed = Buffer.alloc(6);
  fixed.writeUInt16BE(classes.ANY, 0);
  const end = Buffer.alloc(4);
  end.writeUInt16BE(error, 0);
  end.writeUInt16BE(other.length, 2);
  return Buffer.concat([encodeName(name), fixed, encodeName(algorithm), timeAndFudge(seconds), end, other]);
}

function timeAndFudge(seconds: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(seconds, 0, 6);
  bytes.writeUInt16BE(fudgeSeconds, 6);
  return bytes;
}
