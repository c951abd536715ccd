import { sha256 } from "../../x509/keys.ts";
import type { KeptChallenge } from "../issuer.ts";

/** The TXT record that RFC 8555, 8.4 wants to see. */
export function recordOf({ identifier, keyAuthorization }: KeptChallenge): { name: string; text: string } {
  return {
    name: `_acme-challenge.${identifier}`,
    text: sha256(Buffer.from(keyAuthorization)).toString("base64url"),
  };
}
