import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { openssl } from "./openssl.ts";

/** A CA of openssl alone, whose commands stand in a server.yaml. */
export interface ScriptCa {
  /** The server.yaml. */
  file: string;
  /** A file of the CA's directory: "ca.pem"; "calls" has a line for each call of `sign`. */
  read(name: string): Promise<string>;
  /** Lets `order` and `status` go on. */
  approve(): Promise<void>;
}

/** Signs what it is given, and answers the same for the same key. */
const sign = `#!/bin/sh
set -eu
cd "$CA_HOME"
echo "$CERTCTL_ACTION $CERTCTL_KEY_ID \${CERTCTL_REFERENCE:-}" >> calls
[ -e "$CERTCTL_KEY_ID.pem" ] || {
  cat > "$CERTCTL_KEY_ID.csr"
  printf 'subjectAltName=%s\\n' "$CERTCTL_SUBJECT_ALT_NAME" > "$CERTCTL_KEY_ID.ext"
  openssl x509 -req -in "$CERTCTL_KEY_ID.csr" -CA ca.pem -CAkey ca.key -extfile "$CERTCTL_KEY_ID.ext" \\
    -days $((CERTCTL_VALIDITY_SECONDS / 86400)) -subj "/CN=$CERTCTL_COMMON_NAME" -out "$CERTCTL_KEY_ID.pem"
}
cat "$CERTCTL_KEY_ID.pem" ca.pem
`;
const order = `#!/bin/sh
echo "waits for approval" >&2
echo order-7
exit 13
`;
const status = `#!/bin/sh
[ -e "$CA_HOME/approved" ] || { echo "still waits for approval" >&2; exit 13; }
exec "$CA_HOME/sign"
`;
const revoke = `#!/bin/sh
{ echo "$CERTCTL_SERIAL $CERTCTL_REASON"; openssl x509 -noout -subject -nameopt RFC2253; } > "$CA_HOME/revoked"
`;

/** Makes one in a directory; `more` are further commands, by their names. */
export async function makeScriptCa(
  home: string,
  file: string,
  more: Record<string, string> = {},
): Promise<ScriptCa> {
  const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 100 -subj /CN=Script-CA -keyout ${home}/ca.key -out ${home}/ca.pem`;
  await openssl(...made.split(" "));
  const commands: Record<string, object> = {};
  for (const [name, text] of Object.entries({ sign, order, status, revoke, ...more })) {
    await writeFile(join(home, name), text, { mode: 0o755 });
    commands[name] = { argv: [join(home, name)], environment: { CA_HOME: home }, timeout_seconds: 20 };
  }
  await writeFile(file, stringify({ commands }), { mode: 0o600 });
  return {
    file,
    read: (name) => readFile(join(home, name), "utf8"),
    approve: () => writeFile(join(home, "approved"), ""),
  };
}
