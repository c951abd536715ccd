import { timestampDate } from "@bufbuild/protobuf/wkt";
import {
  type CertificateFilter as CertificateFilterMessage,
  CertificateScheduleSchema,
  CertificateStatusSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { wordsOf } from "../platform/words.ts";
import type { CertificateFilter } from "./filter.ts";

export const statusWords = wordsOf(CertificateStatusSchema);
export const scheduleWords = wordsOf(CertificateScheduleSchema);

/** Reads a filter as requests write it. */
export function filterOf(
  message: Omit<CertificateFilterMessage, "$typeName">,
  archived: boolean,
): CertificateFilter {
  const { status, schedule, expiresBefore, expiresAfter, id, tag, ...texts } = message;
  return {
    ...texts,
    ids: id,
    tags: tag,
    statuses: status.map(statusWords.text),
    schedules: schedule.map(scheduleWords.text),
    expiresBefore: expiresBefore ? timestampDate(expiresBefore) : null,
    expiresAfter: expiresAfter ? timestampDate(expiresAfter) : null,
    archived,
  };
}
