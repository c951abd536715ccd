import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  CertificateContentSchema,
  type CertificateVersion,
  CertificateVersionSchema,
  type RenewalInformation,
  RenewalInformationSchema,
  RevocationReasonSchema,
  type VersionContent,
  VersionContentSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import { contentOf } from "../x509/content.ts";
import { pem } from "../x509/pem.ts";
import { certificatesOf } from "./download.ts";
import type { VersionRow } from "./store.ts";

export const revocationReasons = wordsOf(RevocationReasonSchema);

export function versionMessage(version: VersionRow): CertificateVersion {
  const { revokedAt, revocationReason, ...row } = version;
  const renewalInformation = renewalInformationMessage(version);
  return create(CertificateVersionSchema, {
    ...row,
    ...(renewalInformation ? { renewalInformation } : {}),
    ...timestamps({ revokedAt }),
    ...(revokedAt ? { revocationReason: revocationReasons.value(revocationReason) } : {}),
    serialNumber: row.serial,
    notBefore: timestampFromDate(row.notBefore),
    notAfter: timestampFromDate(row.notAfter),
    renewAt: timestampFromDate(row.renewAt),
    createdAt: timestampFromDate(row.createdAt),
  });
}

/** What the CA says of when to renew a version; undefined: it was not asked, or says nothing. */
export function renewalInformationMessage(row: SaidOfRenewal): RenewalInformation | undefined {
  const {
    ariStart: start,
    ariEnd: end,
    ariRenewAt: renewAt,
    ariPollAt: nextPollAt,
    ariAskedAt: askedAt,
  } = row;
  if (!start && row.ariError === "") return undefined;
  return create(RenewalInformationSchema, {
    ...timestamps({ start, end, renewAt, nextPollAt, askedAt }),
    explanationUrl: row.ariExplanationUrl,
    error: row.ariError,
  });
}

/** Of a version, what its CA says of when to renew it. */
export type SaidOfRenewal = Pick<
  VersionRow,
  "ariStart" | "ariEnd" | "ariRenewAt" | "ariPollAt" | "ariAskedAt" | "ariExplanationUrl" | "ariError"
>;

/** What the certificates of a version say, the root's among them. */
export function versionContent(row: VersionRow): VersionContent {
  const { leaf, intermediates, root } = certificatesOf(row);
  const chain = root ? [...intermediates, root] : intermediates;
  return create(VersionContentSchema, { leaf: content(leaf), chain: chain.map(content) });
}

function content(der: Buffer) {
  const { notBefore, notAfter, ...said } = contentOf(der);
  return create(CertificateContentSchema, {
    ...said,
    notBefore: timestampFromDate(notBefore),
    notAfter: timestampFromDate(notAfter),
    pem: pem("CERTIFICATE", der),
  });
}
