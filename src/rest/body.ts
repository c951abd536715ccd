import type { JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { StatusError } from "./answer.ts";
import type { NodeRequest } from "./node.ts";

const readTimeoutMs = 60_000;

/** Reads the JSON that a request carries. Undefined: its body is empty. */
export async function readBody(
  request: NodeRequest,
  options: { maxBytes: number; signal: AbortSignal },
): Promise<JsonValue | undefined> {
  const bytes = await readBytes(request, options);
  if (bytes.length === 0) return undefined;
  const { "content-type": type = "", "content-encoding": coding = "identity" } = request.headers;
  if (!/^application\/([\w.+-]+\+)?json *(;|$)/i.test(type))
    throw new StatusError(
      415,
      Code.InvalidArgument,
      "the content type must be application/json (curl: --json instead of -d)",
    );
  if (coding !== "identity")
    throw new StatusError(415, Code.InvalidArgument, "the body must not have a content encoding");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as JsonValue;
  } catch {
    // The parser's own words quote the body, which may hold a secret.
    throw new ConnectError("the body is not JSON", Code.InvalidArgument);
  }
}

/**
 * Collects the body up to `maxBytes`. Listens rather than iterates: leaving an iteration early destroys the stream, and
 * with it the answer that says why.
 */
function readBytes(
  request: NodeRequest,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<Buffer> {
  const tooLarge = new StatusError(413, Code.ResourceExhausted, `the body is larger than ${maxBytes} bytes`);
  if (Number(request.headers["content-length"]) > maxBytes) return Promise.reject(tooLarge);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) reject(tooLarge);
    else chunks.push(chunk);
  };
  const onEnd = () => resolve(Buffer.concat(chunks));
  const onAbort = () => reject(signal.reason);
  const onTimeout = () =>
    reject(new StatusError(408, Code.DeadlineExceeded, "the body did not arrive in time"));
  const timeout = setTimeout(onTimeout, readTimeoutMs);
  request.on("data", onData);
  request.once("end", onEnd);
  request.once("error", reject);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  return promise.finally(() => {
    clearTimeout(timeout);
    request.off("data", onData);
    request.off("end", onEnd);
    signal.removeEventListener("abort", onAbort);
  });
}
