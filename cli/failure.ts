import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "#gen/certctl/v1/errors_pb.ts";
import { StartupError } from "../src/platform/startup-error.ts";

/** What the command ends with: docs/cli.md. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  conflict: 5,
  unreachable: 6,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure that is told in one sentence, and the code that the command ends with. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Words and exit code for anything that a command threw. */
export function explain(error: unknown): { text: string; exitCode: ExitCode } {
  if (error instanceof CommandFailure) return { text: error.message, exitCode: error.exitCode };
  if (error instanceof ConnectError) return explainCall(error);
  if (error instanceof StartupError) return { text: error.message, exitCode: exitCodes.failed };
  return {
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    exitCode: exitCodes.failed,
  };
}

/** An error of the API: its message, each offending field, and the id by which the server's log knows the call. */
function explainCall(error: ConnectError): { text: string; exitCode: ExitCode } {
  const network = networkProblem(error);
  if (network !== undefined) return { text: network, exitCode: exitCodes.unreachable };
  const fields = [
    ...error.findDetails(ErrorInfoSchema).flatMap(({ violations }) => violations),
    ...error.findDetails(ViolationsSchema).flatMap(({ violations }) =>
      violations.map(({ field, message }) => ({
        field: (field?.elements ?? []).map(({ fieldName }) => fieldName).join("."),
        description: message,
      })),
    ),
  ];
  // The message about bad input is its fields in one line; of a conflict they are details.
  const isInput = error.code === Code.InvalidArgument && fields.length > 0;
  const lines = [
    isInput ? "the request is refused" : error.rawMessage,
    ...fields.map(({ field, description }) => `  ${field}: ${description}`),
  ];
  const requestId = error.metadata.get("x-request-id");
  if (requestId) lines.push(`  request id: ${requestId}`);
  return { text: lines.join("\n"), exitCode: exitCodeOf(error.code) };
}

function exitCodeOf(code: Code): ExitCode {
  switch (code) {
    case Code.InvalidArgument:
    case Code.OutOfRange:
      return exitCodes.usage;
    case Code.NotFound:
      return exitCodes.notFound;
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return exitCodes.denied;
    case Code.AlreadyExists:
    case Code.FailedPrecondition:
    case Code.Aborted:
      return exitCodes.conflict;
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return exitCodes.unreachable;
    default:
      return exitCodes.failed;
  }
}

/** What kept the call from reaching the server; undefined where the server itself has answered. */
function networkProblem(error: ConnectError): string | undefined {
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code))
    return `the server's certificate is not trusted (${code}): name its CA with CERTCTL_CA or certctl login --ca`;
  if (/^E[A-Z]+$/.test(code)) return `the server cannot be reached: ${(cause as Error).message}`;
  return undefined;
}
