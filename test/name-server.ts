import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { chmod, mkdir } from "node:fs/promises";
import { freePort } from "./free-port.ts";
import { openScratch } from "./openssl.ts";
import { runProcess } from "./process.ts";

/** A real bind9 that is the primary of one zone, whose names lead to 127.0.0.1, and takes updates signed with a key. */
export interface NameServer extends AsyncDisposable {
  port: number;
  zone: string;
  keyName: string;
  /** Base64. */
  secret: string;
  /** What TXT records a name has. */
  texts(name: string): Promise<string[]>;
}

export async function startNameServer(zone: string): Promise<NameServer> {
  await using parts = new AsyncDisposableStack();
  const scratch = parts.use(await openScratch());
  const port = await freePort();
  const secret = randomBytes(32).toString("base64");
  const keyName = "certctl-test";
  const directory = scratch.path("named");
  await mkdir(directory);
  const records = `$TTL 60
@ IN SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 86400 60
@ IN NS ns.${zone}.
@ IN A 127.0.0.1
* IN A 127.0.0.1
ns IN A 127.0.0.1
`;
  const zoneFile = await scratch.file("named/zone", records);
  const config = await scratch.file(
    "named.conf",
    `options {
  directory "${directory}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no;
  pid-file "${directory}/named.pid"; session-keyfile "${directory}/session.key"; dnssec-validation no;
};
controls { };
key "${keyName}" { algorithm hmac-sha256; secret "${secret}"; };
zone "${zone}" { type primary; file "${zoneFile}"; allow-update { key "${keyName}"; }; };
`,
  );
  // It runs as whoever runs the tests, and writes the zone's journal.
  await chmod(directory, 0o755);
  const named = parts.use(runProcess(["/usr/sbin/named", "-g", "-c", config], {}));
  await named.says("running");
  const kept = parts.move();
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  const texts = (name: string) =>
    resolver.resolveTxt(name).then(
      (found) => found.map((parts) => parts.join("")),
      () => [],
    );
  return { port, zone, keyName, secret, texts, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What an issuer's settings say of it. */
export function dns01({ port, keyName, secret }: NameServer) {
  return {
    challenge: "dns-01",
    solver: "rfc2136",
    rfc2136: { server: "127.0.0.1", port, tsig_key_name: keyName, tsig_secret: secret },
  };
}
