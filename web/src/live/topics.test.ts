import { describe, expect, test } from "vitest";
import { services } from "#gen/contract.ts";
import { isConcerned, madeOf } from "./topics.ts";

const certificates = "certctl.v1.CertificateService";

describe("topics", () => {
  test("are those of services that the contract has", () => {
    const known = services.map(({ typeName }) => typeName);
    expect(Object.keys(madeOf).filter((name) => !known.includes(name as never))).toEqual([]);
  });

  test("concern a list by any id, and one object by its own or by what it is made of", () => {
    const changed = [{ topic: "certificates", id: "mc-a" }];
    expect(isConcerned({ service: certificates, input: {} }, changed)).toBe(true);
    expect(isConcerned({ service: certificates, input: { id: "mc-a" } }, changed)).toBe(true);
    expect(isConcerned({ service: certificates, input: { id: "mc-b" } }, changed)).toBe(false);
    expect(
      isConcerned({ service: certificates, input: { id: "mc-b" } }, [{ topic: "jobs", id: "job-1" }]),
    ).toBe(true);
    expect(isConcerned({ service: certificates, input: {} }, [{ topic: "teams", id: "t-a" }])).toBe(false);
  });

  test("concern what nobody has listed", () => {
    expect(isConcerned({ service: "certctl.v1.StatsService", input: {} }, [{ topic: "teams", id: "" }])).toBe(
      true,
    );
  });
});
