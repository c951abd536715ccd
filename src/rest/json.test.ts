import { create, type DescMessage, type JsonValue } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReportResultRequestSchema } from "#gen/certctl/v1/agent_work_pb.ts";
import {
  CertificateSchema,
  CertificateStatus,
  CreateCertificateRequestSchema,
  KeyAlgorithm,
  ListCertificatesRequestSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { JobOutcome, JobSchema, JobStatus } from "#gen/certctl/v1/jobs_pb.ts";
import { CreateTargetRequestSchema, TargetSchema } from "#gen/certctl/v1/targets_pb.ts";
import { describedService } from "./described-service.ts";
import { decodeJson, encodeJson } from "./json.ts";

function violationsOf(desc: DescMessage, json: JsonValue): string[] {
  const decoded = decodeJson(desc, json);
  if (decoded.kind === "message") throw new Error("nothing was refused");
  return decoded.violations.map(({ field, description }) => `${field}: ${description}`);
}

function read<Desc extends DescMessage>(desc: Desc, json: JsonValue) {
  const decoded = decodeJson(desc, json);
  if (decoded.kind === "violations") throw new Error(JSON.stringify(decoded.violations));
  return decoded.message;
}

describe("encoding", () => {
  test("shows every field, in the order of the message, unset messages as null and empty lists as lists", () => {
    const json = encodeJson(CertificateSchema, create(CertificateSchema, { id: "mc-1" }));
    expect(Object.keys(json)).toEqual(CertificateSchema.fields.map(({ name }) => name));
    expect(json).toMatchObject({
      id: "mc-1",
      common_name: "",
      sans: [],
      validity_seconds: 0,
      expires_at: null,
    });
  });

  test("writes enums as words and their unspecified value as null", () => {
    const certificate = create(CertificateSchema, {
      status: CertificateStatus.RENEWAL_IN_PROGRESS,
      keyAlgorithm: KeyAlgorithm.ECDSA_P256,
    });
    expect(encodeJson(CertificateSchema, certificate)).toMatchObject({
      status: "RenewalInProgress",
      key_algorithm: "ECDSA-P256",
    });
    expect(encodeJson(JobSchema, create(JobSchema, { status: JobStatus.AWAITING_CSR }))).toMatchObject({
      status: "AwaitingCSR",
      type: null,
    });
  });

  test("writes an unset optional field as null and a set one as itself", () => {
    const outcome = JobOutcome.PARTLY_PROVEN;
    expect(encodeJson(JobSchema, create(JobSchema))).toMatchObject({ outcome: null, error: null });
    expect(encodeJson(JobSchema, create(JobSchema, { outcome }))).toMatchObject({ outcome: "PartlyProven" });
  });

  test("writes times as RFC 3339, also inside lists of messages", () => {
    const at = timestampFromDate(new Date("2026-01-31T12:00:00.5Z"));
    const job = create(JobSchema, { createdAt: at, timeline: [{ step: "created", at }] });
    expect(encodeJson(JobSchema, job)).toMatchObject({
      created_at: "2026-01-31T12:00:00.500Z",
      timeline: [{ at: "2026-01-31T12:00:00.500Z", step: "created", message: "", job_id: "", attempt: 0 }],
    });
  });

  test("passes a Struct through", () => {
    const config = { Path: "/etc/nginx", list: [1, null, { camelCase: true }] };
    expect(encodeJson(TargetSchema, create(TargetSchema, { config }))).toMatchObject({ config });
  });

  test("shows every member of a oneof, the unset ones as null", () => {
    const request = create(ReportResultRequestSchema, {
      result: { case: "failed", value: { step: "proof" } },
    });
    expect(encodeJson(ReportResultRequestSchema, request)).toMatchObject({
      succeeded: null,
      failed: { step: "proof", retryable: false },
    });
  });
});

describe("decoding", () => {
  test("takes snake_case and lowerCamelCase keys", () => {
    expect(read(CertificateSchema, { common_name: "a" }).commonName).toBe("a");
    expect(read(CertificateSchema, { commonName: "a" }).commonName).toBe("a");
    expect(violationsOf(CertificateSchema, { common_name: "a", commonName: "b" })).toEqual([
      "common_name: only one of common_name, commonName may be given",
      "commonName: only one of common_name, commonName may be given",
    ]);
  });

  test("takes an enum's word and its full name", () => {
    const status = ["Active", "CERTIFICATE_STATUS_EXPIRED"];
    expect(read(ListCertificatesRequestSchema, { status }).status).toEqual([
      CertificateStatus.ACTIVE,
      CertificateStatus.EXPIRED,
    ]);
    expect(read(CertificateSchema, { key_algorithm: "RSA-2048" }).keyAlgorithm).toBe(KeyAlgorithm.RSA_2048);
  });

  test.each<JsonValue>(["Unspecified", "active", "", 2, true])("refuses %j as an enum's word", (status) => {
    const words = "Pending, Active, Expiring, Expired, RenewalInProgress, Failed, Archived, Revoked";
    expect(violationsOf(ListCertificatesRequestSchema, { status: ["Active", status] })).toEqual([
      `status[1]: must be one of ${words}`,
    ]);
  });

  test("names every field that is wrong", () => {
    const json = { name: 5, sans: ["a", null], target_ids: "tgt-1", validity_seconds: -1, colour: "red" };
    expect(violationsOf(CreateCertificateRequestSchema, json)).toEqual([
      "name: must be a string",
      "sans[1]: must be a string",
      "target_ids: must be a list",
      "validity_seconds: must be a whole number from 0 to 4294967295",
      "colour: unknown field",
    ]);
  });

  test.each<JsonValue>(["86400", 1.5, 2 ** 32, true, [1]])("refuses %j as a number of seconds", (value) => {
    expect(violationsOf(CreateCertificateRequestSchema, { validity_seconds: value })).toHaveLength(1);
  });

  test("names the wrong fields of messages inside messages", () => {
    const steps = [{ step: "proof" }, { step: 1, ago_ms: "long" }];
    expect(violationsOf(ReportResultRequestSchema, { steps, failed: { retryable: "no", x: 1 } })).toEqual([
      "steps[1].step: must be a string",
      "steps[1].ago_ms: must be a whole number from 0 to 4294967295",
      "failed.retryable: must be true or false",
      "failed.x: unknown field",
    ]);
  });

  test("names both members of a oneof that are given at once", () => {
    expect(violationsOf(ReportResultRequestSchema, { succeeded: {}, failed: {} })).toEqual([
      "succeeded: only one of succeeded, failed may be given",
      "failed: only one of succeeded, failed may be given",
    ]);
    expect(read(ReportResultRequestSchema, { succeeded: null, failed: {} }).result.case).toBe("failed");
  });

  test("refuses keys that would change a prototype, also inside a Struct", () => {
    const json = JSON.parse(
      '{"__proto__": {"name": "x"}, "config": {"a": [{"__proto__": {}}]}}',
    ) as JsonValue;
    expect(violationsOf(CreateTargetRequestSchema, json)).toEqual([
      "__proto__: unknown field",
      "config.a[0].__proto__: unknown field",
    ]);
    expect(violationsOf(CreateTargetRequestSchema, { constructor: 1, toString: 2 })).toHaveLength(2);
  });

  test("holds a Struct to an object of fewer than 100 levels", () => {
    const nested = (levels: number) => {
      let json: JsonValue = 1;
      for (let level = 0; level < levels; level++) json = { a: json };
      return json;
    };
    expect(read(CreateTargetRequestSchema, { config: nested(99) }).config).toEqual(nested(99));
    const refused = ["config: must be an object of fewer than 100 levels"];
    for (const config of [nested(100), nested(100_000), []])
      expect(violationsOf(CreateTargetRequestSchema, { config })).toEqual(refused);
  });

  test("refuses text that is not well-formed Unicode", () => {
    expect(violationsOf(CreateTargetRequestSchema, { name: "\ud800" })).toEqual(["name: must be a string"]);
  });

  test("reads maps, and refuses what REST's messages do not hold", () => {
    const { input } = describedService({ Do: {} }).method["do"] ?? {};
    if (!input) throw new Error("the service has no method");
    const json = { id: "", count: 0, thing: { id: "", name: "", labels: { a: "b" } } };
    expect(encodeJson(input, read(input, json))).toEqual({ ...json, raw: "" });
    expect(violationsOf(input, { raw: "AAAA", thing: { labels: { a: 1 } } })).toEqual([
      "raw: cannot be given in JSON",
      'thing.labels["a"]: must be a string',
    ]);
    expect(violationsOf(input, { thing: { labels: [] } })).toEqual(["thing.labels: must be an object"]);
  });

  test("reads back what it wrote", () => {
    const moment = fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true });
    const certificate = fc.record({
      id: fc.string(),
      sans: fc.array(fc.string()),
      validitySeconds: fc.nat(),
      status: fc.constantFrom(...Object.values(CertificateStatus)),
      keyAlgorithm: fc.constantFrom(...Object.values(KeyAlgorithm)),
      expiresAt: fc.option(moment.map(timestampFromDate), { nil: undefined }),
    });
    fc.assert(
      fc.property(certificate, ({ expiresAt, ...fields }) => {
        const message = create(CertificateSchema, { ...fields, ...(expiresAt && { expiresAt }) });
        expect(read(CertificateSchema, encodeJson(CertificateSchema, message))).toEqual(message);
      }),
    );
  });
});
