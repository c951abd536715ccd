import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type CertificateFilter as CertificateFilterMessage,
  CertificateScheduleSchema,
  CertificateStatusSchema,
  ExpiryBucketSchema,
  KeyAlgorithmSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { wordsOf } from "../platform/words.ts";
import type { CertificateFilter } from "./filter.ts";

export const statusWords = wordsOf(CertificateStatusSchema);
export const scheduleWords = wordsOf(CertificateScheduleSchema);
export const keyAlgorithmWords = wordsOf(KeyAlgorithmSchema);
const expiryWords = wordsOf(ExpiryBucketSchema);

/** Reads a filter as requests write it. */
export function filterOf(
  message: Omit<CertificateFilterMessage, "$typeName">,
  archived: boolean,
): CertificateFilter {
  const { expiresBefore, expiresAfter } = message;
  const either = (one: string, several: readonly string[]) => (one === "" ? several : [one, ...several]);
  return {
    ids: message.id,
    statuses: message.status.map(statusWords.text),
    schedules: message.schedule.map(scheduleWords.text),
    expiries: message.expiry.map(expiryWords.text),
    q: message.q,
    environments: either(message.environment, message.environments),
    ownerIds: either(message.ownerId, message.ownerIds),
    teamIds: either(message.teamId, message.teamIds),
    issuerIds: either(message.issuerId, message.issuerIds),
    renewalPolicyIds: either(message.renewalPolicyId, message.renewalPolicyIds),
    keyAlgorithms: message.keyAlgorithm.map(keyAlgorithmWords.text),
    agentIds: either(message.agentId, message.agentIds),
    targetIds: either(message.targetId, message.targetIds),
    issuingCas: message.issuingCa,
    problems: message.problems,
    tags: message.tag,
    expiresBefore: expiresBefore ? timestampDate(expiresBefore) : null,
    expiresAfter: expiresAfter ? timestampDate(expiresAfter) : null,
    archived,
  };
}
