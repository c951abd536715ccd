import { sha256 } from "./keys.ts";

/** Names a CA by its public key, as agents are told whom to trust: "sha256:" and 64 hexadecimal digits. */
export function caPin(spki: Uint8Array): string {
  return `sha256:${sha256(spki).toString("hex")}`;
}

/** Everything that an agent needs to join, in one line: https://host:port/#token=jt-…_…&ca=sha256:… */
export function joinString({ server, token, pin }: { server: URL; token: string; pin: string }): string {
  const url = new URL(server);
  url.hash = `token=${token}&ca=${pin}`;
  return url.href;
}

/** Reads a join string. Throws an Error that says what is missing, never what the secret is. */
export function parseJoin(text: string): { server: URL; token: string; pin: string } {
  if (!URL.canParse(text)) throw new Error("the join string is not a URL; copy it whole");
  const server = new URL(text);
  const fields = new URLSearchParams(server.hash.slice(1));
  server.hash = "";
  const token = fields.get("token");
  const pin = fields.get("ca");
  if (server.protocol !== "https:" || !token || !pin) {
    throw new Error("the join string must be https://…/#token=…&ca=sha256:…; copy it whole");
  }
  return { server, token, pin };
}
