import pino from "pino";

export type Log = pino.Logger;

/** JSON lines on standard error. Fields that could carry a secret are never written. */
export function createLog(level: string, destination: pino.DestinationStream = pino.destination(2)): Log {
  const secrets = ["token", "api_key", "apiKey", "authorization", "password", "key", "secret", "join"];
  const paths = secrets.flatMap((name) => [name, `*.${name}`]);
  const serializers = { err: errorFields };
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: paths, serializers },
    destination,
  );
}

/** What else an error carries may be what somebody sent: an invalid URL has itself in `input`. */
function errorFields(error: unknown) {
  if (!(error instanceof Error)) return error;
  const { type, message, stack, code } = pino.stdSerializers.err(error);
  return { type, message, stack, code };
}
