import { describe, expect, test } from "vitest";
import { CertificateStatus, CertificateStatusSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { JobStatus, JobStatusSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { readable, valuesOfWords, wordOfValue } from "./words.ts";

describe("words", () => {
  test("are those of the API, and a sentence to read", () => {
    expect(wordOfValue(CertificateStatusSchema, CertificateStatus.RENEWAL_IN_PROGRESS)).toBe(
      "RenewalInProgress",
    );
    expect(readable(CertificateStatusSchema, CertificateStatus.RENEWAL_IN_PROGRESS)).toBe(
      "Renewal in progress",
    );
    expect(readable(JobStatusSchema, JobStatus.AWAITING_CSR)).toBe("Awaiting CSR");
  });

  test("come back from a URL, without those that nobody knows", () => {
    expect(valuesOfWords(CertificateStatusSchema, ["Expired", "Nonsense"])).toEqual([
      CertificateStatus.EXPIRED,
    ]);
  });
});
