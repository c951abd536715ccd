/** What to do about a CA's problem, by its type (RFC 8555, 6.7). */
const byType: Readonly<Record<string, string>> = {
  accountDoesNotExist: "The CA knows the issuer's account no more; the next attempt registers another one.",
  badCSR: "The CA does not sign such a request: look at the certificate's names and its kind of key.",
  badPublicKey: "The CA does not sign this key: choose another kind of key for the certificate.",
  caa: "Add the CA to the domain's CAA records, or remove those that forbid it.",
  connection:
    "The CA could not connect: look at the name's addresses in public DNS, the firewall, and what listens there.",
  dns: "The CA found no address or record: look at the name in public DNS, and at the zone's name servers and DNSSEC.",
  externalAccountRequired: "Set eab_key_id and eab_hmac_key of the issuer: the CA's console shows both.",
  incorrectResponse:
    "Something else answered: see that the name leads to this host, and that no proxy or redirect comes between.",
  invalidContact: "Change contact_emails of the issuer: the CA does not take one of them.",
  invalidProfile: "Choose a profile for the issuer that the CA offers.",
  malformed: "The CA does not take such names or such a request: look at the certificate's names.",
  orderNotReady: "The CA has not validated every name yet; the next attempt goes on.",
  rateLimited:
    "Wait until the CA's limit allows more; order less often, or put names together into one certificate.",
  rejectedIdentifier: "The CA does not sign for this name: take it out, or choose another CA.",
  serverInternal: "The CA has trouble of its own: look at its status page; it is tried again by itself.",
  tls: "The CA's TLS handshake failed: see that acme-tls/1 on port 443 of the name is handed on to the agent.",
  unauthorized:
    "The CA saw a wrong answer: see that the name leads to where the challenge is answered, and that nothing else answers there.",
  unsupportedContact: "Change contact_emails of the issuer: the CA does not take addresses of this kind.",
  unsupportedIdentifier: "The CA does not sign names of this kind: take it out, or choose another CA.",
  userActionRequired: "Somebody has to accept the CA's new terms of service: its words say where.",
};

const otherwise = "The CA's words say more; once it is mended, retry the job.";

/** One sentence. */
export function adviceFor(type: string): string {
  return Object.hasOwn(byType, type) ? (byType[type] ?? otherwise) : otherwise;
}

/** For a failure whose words begin with the CA's type, as where the CA took no order; undefined: they do not. */
export function adviceIn(message: string): string | undefined {
  const type = /^(\w+): /.exec(message)?.[1] ?? "";
  return Object.hasOwn(byType, type) ? byType[type] : undefined;
}
