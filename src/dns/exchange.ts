import { once } from "node:events";
import type { Destination, Egress } from "../platform/egress.ts";

const timeoutMs = 10_000;

/** Sends one DNS message over TCP (RFC 7766) and returns the answer to it. */
export async function exchangeDns(
  egress: Egress,
  destination: Destination,
  message: Buffer,
  stop: AbortSignal,
): Promise<Buffer> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  const socket = await egress.connect(destination, signal);
  try {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
    let received = Buffer.alloc(0);
    for (;;) {
      const expected = received.length < 2 ? 2 : 2 + received.readUInt16BE(0);
      if (received.length >= expected && expected > 2) {
        const answer = received.subarray(2, expected);
        if (answer.length < 12 || !answer.subarray(0, 2).equals(message.subarray(0, 2)))
          throw new Error("the name server answered something else");
        return answer;
      }
      const [part] = (await Promise.race([
        once(socket, "data", { signal }),
        once(socket, "end", { signal }).then(() => [null]),
      ])) as [Buffer | null];
      if (part === null) throw new Error("the name server closed the connection");
      received = Buffer.concat([received, part]);
    }
  } finally {
    socket.destroy();
  }
}
