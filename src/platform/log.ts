import pino from "pino";

export type Log = pino.Logger;

/** JSON lines on standard error. Fields that could carry a secret are never written. */
export function createLog(level: string): Log {
  const secrets = ["token", "api_key", "apiKey", "authorization", "password", "key", "secret", "join"];
  const paths = secrets.flatMap((name) => [name, `*.${name}`]);
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: paths },
    pino.destination(2),
  );
}
