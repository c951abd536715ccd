import { AsnConvert } from "@peculiar/asn1-schema";
import { NameConstraints as Parsed } from "@peculiar/asn1-x509";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressBytes, canonicalCidr, cidrOf } from "./cidr.ts";
import {
  isPermitted,
  type NameConstraints,
  nameConstraints,
  noSubtrees,
  readNameConstraints,
  type Subtrees,
} from "./name-constraints.ts";
import { parseSan } from "./names.ts";

function constraints(permitted: Partial<Subtrees>, excluded: Partial<Subtrees> = {}): NameConstraints {
  return { permitted: { ...noSubtrees(), ...permitted }, excluded: { ...noSubtrees(), ...excluded } };
}
function roundTrip(wanted: NameConstraints): NameConstraints {
  const extension = nameConstraints(wanted);
  return readNameConstraints(new Uint8Array(extension?.extnValue.buffer ?? new ArrayBuffer()));
}

describe("name constraints", () => {
  test("of DNS names exclude every address that is not permitted", () => {
    expect(roundTrip(constraints({ dns: ["corp.example"] })).excluded.ip).toEqual(["0.0.0.0/0", "::/0"]);
    expect(roundTrip(constraints({ dns: ["corp.example"], ip: ["10.0.0.0/8"] }))).toEqual(
      constraints({ dns: ["corp.example"], ip: ["10.0.0.0/8"] }, { ip: ["::/0"] }),
    );
    expect(roundTrip(constraints({}, { dns: ["secret.example"] })).excluded.ip).toEqual([
      "0.0.0.0/0",
      "::/0",
    ]);
    expect(roundTrip(constraints({ ip: ["10.0.0.0/8"] })).excluded.ip).toEqual([]);
    expect(nameConstraints(constraints({}))).toBeNull();
  });

  test("are critical, and read by others as they were meant", () => {
    const extension = nameConstraints(constraints({ dns: ["corp.example"], ip: ["10.1.0.0/16"] }));
    expect(extension?.critical).toBe(true);
    const parsed = AsnConvert.parse(extension?.extnValue.buffer ?? new ArrayBuffer(), Parsed);
    expect(Array.from(parsed.permittedSubtrees ?? [], ({ base }) => base.dNSName)).toContain("corp.example");
  });

  test.each<[string, boolean]>([
    ["corp.example", true],
    ["a.corp.example", true],
    ["*.corp.example", true],
    ["*.a.corp.example", true],
    ["notcorp.example", false],
    ["example", false],
    ["secret.corp.example", false],
    ["x.secret.corp.example", false],
    ["10.1.2.3", true],
    ["10.2.0.1", false],
    ["10.1.9.9", false],
    ["2001:db8::1", false],
    ["a@anything.example", true],
    ["https://any.example/x", true],
  ])("let %s through: %s", (name, allowed) => {
    const read = roundTrip(
      constraints(
        { dns: ["corp.example"], ip: ["10.1.0.0/16"] },
        { dns: ["secret.corp.example"], ip: ["10.1.9.0/24"] },
      ),
    );
    const isSpeakingForSecret = name === "*.corp.example";
    expect(isPermitted(read, parseSan(name))).toBe(allowed && !isSpeakingForSecret);
  });

  test("of e-mail addresses and URIs go by their hosts", () => {
    const read = roundTrip(constraints({ email: [".corp.example"], uri: ["corp.example"] }));
    expect(isPermitted(read, parseSan("a@x.corp.example"))).toBe(true);
    expect(isPermitted(read, parseSan("a@corp.example"))).toBe(false);
    expect(isPermitted(read, parseSan("https://corp.example/a"))).toBe(true);
    expect(isPermitted(read, parseSan("https://x.corp.example/a"))).toBe(false);
  });
});

describe("a CIDR", () => {
  test.each([
    ["10.1.2.3", "10.1.2.3/32"],
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8:0::1/32", "2001:db8::/32"],
    ["::/0", "::/0"],
    ["::1", "::1/128"],
  ])("%s is %s", (text, canonical) => {
    expect(canonicalCidr(text)).toBe(canonical);
  });

  test.each(["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "x/8", "10.0.0.0/8/8", ""])(
    "%s is none",
    (text) => {
      expect(canonicalCidr(text)).toBeNull();
    },
  );

  test("is the same after it was written and read", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(128), (address, bits) => {
        const canonical = canonicalCidr(`${address}/${address.includes(":") ? bits : bits % 33}`);
        if (canonical === null) return;
        expect(cidrOf(addressBytes(canonical))).toBe(canonical);
      }),
    );
  });
});
