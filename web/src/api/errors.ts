import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/certctl/v1/errors_pb.ts";

/** The gateway's error body; `docs/api.md` tells of it. */
export interface ErrorBody {
  code?: string;
  reason?: string;
  message?: string;
  request_id?: string;
  details?: { field: string; description: string }[];
}

const requestIdHeader = "x-request-id";

/** The typed error of an answer that is none of success. */
export async function errorOf(response: Response): Promise<ConnectError> {
  const body = await response.json().then(
    (json) => json as ErrorBody,
    (): ErrorBody => ({}),
  );
  return errorOfBody(body, response);
}

/** The typed error of the gateway's words. */
export function errorOfBody(
  body: ErrorBody,
  { status, headers: sent }: Pick<Response, "status" | "headers">,
): ConnectError {
  const headers = new Headers({ [requestIdHeader]: body.request_id ?? "" });
  const retryAfter = sent.get("retry-after");
  if (retryAfter) headers.set("retry-after", retryAfter);
  const violations = body.details ?? [];
  const message = body.message || `the control plane answered ${status}`;
  const info = { desc: ErrorInfoSchema, value: { reason: body.reason ?? "", violations } };
  return new ConnectError(message, codeOf(body.code, status), headers, [info]);
}

/** What fetch says when there was no answer: an abort by the caller, the deadline, or no connection. */
export function unreachable(cause: unknown, signal: AbortSignal | undefined): ConnectError {
  if (!signal?.aborted)
    return new ConnectError(
      "the control plane is not reachable",
      Code.Unavailable,
      undefined,
      undefined,
      cause,
    );
  const isLate = signal.reason instanceof DOMException && signal.reason.name === "TimeoutError";
  return isLate
    ? new ConnectError(
        "the control plane did not answer in time",
        Code.DeadlineExceeded,
        undefined,
        undefined,
        cause,
      )
    : new ConnectError("the call was given up", Code.Canceled, undefined, undefined, cause);
}

export function requestIdOf(error: unknown): string {
  return error instanceof ConnectError ? (error.metadata.get(requestIdHeader) ?? "") : "";
}

/** Seconds after which a refused caller may come back; 0 where nothing says so. */
export function retryAfterOf(error: unknown): number {
  return error instanceof ConnectError ? Number(error.metadata.get("retry-after") ?? 0) : 0;
}

/** The offending fields of a refused request, by path. */
export function violationsOf(error: unknown): { field: string; description: string }[] {
  return error instanceof ConnectError
    ? error.findDetails(ErrorInfoSchema).flatMap(({ violations }) => violations)
    : [];
}

/** What to say of any error: one sentence. */
export function messageOf(error: unknown): string {
  const text =
    error instanceof ConnectError ? error.rawMessage : error instanceof Error ? error.message : String(error);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function isCode(error: unknown, code: Code): boolean {
  return error instanceof ConnectError && error.code === code;
}

const byStatus: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.NotFound,
  409: Code.FailedPrecondition,
  429: Code.ResourceExhausted,
  502: Code.Unavailable,
  503: Code.Unavailable,
  504: Code.DeadlineExceeded,
};

/** `invalid_argument` as the gateway writes it; by the status where a proxy has answered. */
function codeOf(name: string | undefined, status: number): Code {
  const pascal = (name ?? "").replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const code = Code[pascal as keyof typeof Code];
  return typeof code === "number" ? code : (byStatus[status] ?? Code.Unknown);
}
