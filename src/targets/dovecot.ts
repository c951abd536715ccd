import { definePairTarget } from "./file-target.ts";

/** A reload with a bad pair succeeds, and every handshake fails: only the proof shows it. */
export const dovecot = definePairTarget({
  kind: "dovecot",
  title: "Dovecot",
  required: ["reload"],
  protocol: "imap",
});
