import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalDns, canonicalSet, covers, isLoopback, NameError, parseSan } from "./names.ts";

describe("a DNS name", () => {
  test.each([
    ["www.example", "www.example"],
    ["WWW.Example", "www.example"],
    ["www.example.", "www.example"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["BÜCHER.example", "xn--bcher-kva.example"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["faß.example", "xn--fa-hia.example"],
    ["例え.テスト", "xn--r8jz45g.xn--zckzah"],
    ["*.example.com", "*.example.com"],
    ["*.Bücher.example", "*.xn--bcher-kva.example"],
    ["localhost", "localhost"],
    ["1.2.3.4.example", "1.2.3.4.example"],
    ["a--b.example", "a--b.example"],
    [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
  ])("%s is written %s", (text, value) => {
    expect(parseSan(text)).toEqual({ type: "dns", value });
  });

  test.each([
    ["under_score.example", "is not a DNS name"],
    ["nul\0.example", "is not a DNS name"],
    ["-dash.example", "is not a DNS name"],
    ["dash-.example", "is not a DNS name"],
    ["two..dots", "is not a DNS name"],
    [".example", "is not a DNS name"],
    ["www.example..", "is not a DNS name"],
    [".", "is not a DNS name"],
    ["white space.example", "is not a DNS name"],
    ["example.123", "is not a DNS name"],
    ["1.2.3", "is not a DNS name"],
    ["0x7f.1", "is not a DNS name"],
    ["256.256.256.256", "is not a DNS name"],
    ["xn--zzzzzz.example", "is not a DNS name"],
    ["www.xn--a", "is not a DNS name"],
    ["[2001:db8::1]", "is not a DNS name"],
    ["host:443", "is not a DNS name"],
    [`${"a".repeat(64)}.example`, "is not a DNS name"],
    [`${"a".repeat(60)}.`.repeat(5), "is longer than 253 characters"],
    ["*.com", "a wildcard needs two labels after it"],
    ["*", "* may only stand for the whole leftmost label"],
    ["www.*.example", "* may only stand for the whole leftmost label"],
    ["w*.example.com", "* may only stand for the whole leftmost label"],
    ["*.*.example.com", "* may only stand for the whole leftmost label"],
    ["*.192.168", "is not a DNS name"],
    ["", "is empty or has spaces around it"],
    [" www.example", "is empty or has spaces around it"],
  ])("is not %j", (text, problem) => {
    expect(() => parseSan(text)).toThrow(NameError);
    expect(() => parseSan(text)).toThrow(problem);
  });

  test("that is canonical stays as it is", () => {
    const label = fc.stringMatching(/^[\p{L}\p{N}-]{1,12}$/u);
    const name = fc.tuple(fc.boolean(), fc.array(label, { minLength: 1, maxLength: 4 }), fc.boolean());
    fc.assert(
      fc.property(name, ([isWildcard, labels, hasDot]) => {
        const text = `${isWildcard ? "*." : ""}${labels.join(".")}${hasDot ? "." : ""}`;
        const once = canonicalOrNull(text);
        fc.pre(once !== null);
        expect(canonicalDns(once)).toBe(once);
        expect(once).toMatch(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/);
      }),
      { numRuns: 500 },
    );
  });

  test("of whatever text is either refused or canonical", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const once = canonicalOrNull(text);
        if (once !== null) expect(canonicalDns(once)).toBe(once);
      }),
      { numRuns: 1000 },
    );
  });
});

/** Null for a text that is refused; anything but a NameError passes through. */
function canonicalOrNull(text: string): string | null {
  try {
    return canonicalDns(text);
  } catch (error) {
    if (error instanceof NameError) return null;
    throw error;
  }
}

describe("an IP address", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:0db8::0001", "2001:db8::1"],
    ["::", "::"],
    ["::1", "::1"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
  ])("%s is written %s", (text, value) => {
    expect(parseSan(text)).toEqual({ type: "ip", value });
  });

  test.each(["fe80::1%eth0", "192.0.2.256", "192.0.2", "192.0.2.01", "2001:db8::1::2"])(
    "is not %s",
    (text) => {
      expect(() => parseSan(text)).toThrow(NameError);
    },
  );

  test("is written the same as the octets of it are read back", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const { value } = parseSan(text);
        expect(parseSan(value).value).toBe(value);
      }),
    );
  });
});

describe("an e-mail address", () => {
  test.each([
    ["Ops@Example.COM", "Ops@example.com"],
    ["o.p+s@bücher.example", "o.p+s@xn--bcher-kva.example"],
  ])("%s is written %s", (text, value) => {
    expect(parseSan(text)).toEqual({ type: "email", value });
  });

  test.each([
    "@example.com",
    "ops@",
    "a b@example.com",
    '"o"@example.com',
    "a@b@example.com",
    "ops@under_score.x",
  ])("is not %s", (text) => {
    expect(() => parseSan(text)).toThrow(NameError);
  });
});

describe("a URI", () => {
  test.each(["spiffe://example.com/agent/x", "https://example.com/a?b=c", "urn:uuid:0b0c8d7e"])(
    "is %s, as it was written",
    (value) => {
      expect(parseSan(value)).toEqual({ type: "uri", value });
    },
  );

  test.each(["https://bücher.example/", "https://exa mple/", "://example", "https://a\0b/"])(
    "is not %j",
    (text) => {
      expect(() => parseSan(text)).toThrow(NameError);
    },
  );
});

describe("a set of names", () => {
  test("has each name once, in one order, and tells kinds apart", () => {
    const names = ["b.example", "B.example.", "a.example", "192.0.2.1"].map(parseSan);
    expect(canonicalSet(names)).toEqual(["dns:a.example", "dns:b.example", "ip:192.0.2.1"]);
    expect(canonicalSet([{ type: "dns", value: "x" }])).not.toEqual(
      canonicalSet([{ type: "uri", value: "x" }]),
    );
  });
});

describe("a name speaks for", () => {
  test.each([
    ["*.example.com", "certctl.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "a.certctl.example.com", false],
    ["certctl.example.com", "certctl.example.com", true],
    ["2001:db8:0::1", "2001:db8::1", true],
    ["ops@example.com", "ops@example.com", false],
  ])("%s and %s: %s", (san, name, isCovered) => {
    expect(covers(parseSan(san), name)).toBe(isCovered);
  });
});

test("only names of this very machine are loopback", () => {
  const names = ["localhost", "demo.localhost", "127.0.0.1", "127.8.0.1", "::1"];
  expect(names.filter(isLoopback)).toEqual(names);
  expect(["127.example.com", "localhost.example.com", "128.0.0.1", "::2"].filter(isLoopback)).toEqual([]);
});
