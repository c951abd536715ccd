import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Authority,
  AuthorityCrlSchema,
  AuthorityRoleSchema,
  AuthoritySchema,
  AuthorityStateSchema,
  KeyPlaceSchema,
  NameLimitsSchema,
} from "#gen/certctl/v1/authorities_pb.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import { contentOf } from "../x509/content.ts";
import { pem } from "../x509/pem.ts";
import { constraintsOf } from "./may-sign.ts";
import { rightsOf } from "./may-sign-ca.ts";
import type { AuthorityView } from "./view.ts";

const roleWords = wordsOf(AuthorityRoleSchema);
const stateWords = wordsOf(AuthorityStateSchema);
const placeWords = wordsOf(KeyPlaceSchema);

/** "issuing-ca" and "pkcs11" as the contract's words. */
const word = (text: string) =>
  text
    .split("-")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");

/** A CA as the API shows it. Keys are in none of it. */
export function authorityMessage(
  view: AuthorityView,
  { now, pkiUrl }: { now: Date; pkiUrl: string | null },
): Authority {
  const der = view.certificate && Buffer.from(view.certificate);
  const content = der && contentOf(der);
  const isExpired = content !== null && content.notAfter <= now;
  const names = der && constraintsOf(der);
  const pathLength = der ? rightsOf(der).pathLength : undefined;
  return create(AuthoritySchema, {
    id: view.id,
    name: view.name,
    role: roleWords.value(word(view.role)),
    state: stateWords.value(isExpired ? "Expired" : view.state),
    issuerId: view.issuerId ?? "",
    issuerName: view.issuerName ?? "",
    parentId: view.parentId ?? "",
    keyPlace: placeWords.value(word(view.keyPlace)),
    ...(content && {
      keyAlgorithm: content.keyAlgorithm,
      subject: content.subject,
      notBefore: timestampFromDate(content.notBefore),
      notAfter: timestampFromDate(content.notAfter),
    }),
    certificatePem: der ? pem("CERTIFICATE", der) : "",
    csrPem: view.csr ? pem("CERTIFICATE REQUEST", view.csr) : "",
    ...(pathLength === undefined ? {} : { pathLength }),
    ...(names && {
      names: create(NameLimitsSchema, {
        permittedDns: names.permitted.dns,
        permittedIp: names.permitted.ip,
        excludedDns: names.excluded.dns,
        excludedIp: names.excluded.ip,
      }),
    }),
    validCertificates: view.validCertificates,
    revokedCertificates: view.revokedCertificates,
    ...(view.crlNumber !== null && {
      crl: create(AuthorityCrlSchema, {
        number: String(view.crlNumber),
        ...timestamps({ thisUpdate: view.crlThisUpdate, nextUpdate: view.crlNextUpdate }),
        entries: view.crlEntries ?? 0,
        url: pkiUrl === null ? "" : `${pkiUrl}/crl/${view.id}.crl`,
      }),
    }),
    createdAt: timestampFromDate(view.createdAt),
    ...timestamps({ activatedAt: view.activatedAt }),
  });
}
