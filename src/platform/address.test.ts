import { describe, expect, test } from "vitest";
import { CidrError, cidrList, reachOf } from "./address.ts";

const nothing = cidrList([]);

describe("the reach of an address", () => {
  test.each([
    ["a public one", "93.184.215.14"],
    ["a public IPv6 one", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    ["a public one behind NAT64", "64:ff9b::5db8:d70e"],
    ["a public one, mapped", "::ffff:93.184.215.14"],
  ])("is open for %s", (_what, address) => {
    expect(reachOf(address, nothing)).toBe("open");
  });

  test.each([
    ["loopback", "127.0.0.1"],
    ["all of loopback", "127.8.9.1"],
    ["IPv6 loopback", "::1"],
    ["a private one", "10.1.2.3"],
    ["carrier-grade NAT", "100.64.0.1"],
    ["a unique local one", "fd12:3456::1"],
    ["loopback, mapped", "::ffff:127.0.0.1"],
    ["loopback, mapped, in hexadecimal", "::ffff:7f00:1"],
    ["loopback, compatible", "::127.0.0.1"],
    ["loopback, translated", "::ffff:0:127.0.0.1"],
    ["a private one behind NAT64", "64:ff9b::10.0.0.1"],
    ["a private one behind a local NAT64", "64:ff9b:1::10.0.0.1"],
    ["a private one behind a local NAT64 of 48 bits", "64:ff9b:1:a00:0:100::"],
    ["a private one behind 6to4", "2002:c0a8:101::1"],
  ])("is internal for %s", (_what, address) => {
    expect(reachOf(address, nothing)).toBe("internal");
  });

  test.each([
    ["a metadata service", "169.254.169.254"],
    ["a metadata service, mapped", "::ffff:169.254.169.254"],
    ["a metadata service behind NAT64", "64:ff9b::a9fe:a9fe"],
    ["a metadata service's IPv6 address", "fd00:ec2::254"],
    ["link-local with a zone", "fe80::1%eth0"],
    ["this host", "0.0.0.0"],
    ["this host in IPv6", "::"],
    ["multicast", "224.0.0.1"],
    ["no address at all", "example.com"],
  ])("is never for %s, whatever is allowed", (_what, address) => {
    expect(reachOf(address, cidrList(["0.0.0.0/0", "::/0"]))).toBe("never");
  });

  test("opens where the operator says so, and nowhere else", () => {
    const allowed = cidrList(["10.1.0.0/16", "::1/128"]);
    expect(reachOf("10.1.2.3", allowed)).toBe("open");
    expect(reachOf("::ffff:10.1.2.3", allowed)).toBe("open");
    expect(reachOf("64:ff9b::10.1.2.3", allowed)).toBe("open");
    expect(reachOf("::1", allowed)).toBe("open");
    expect(reachOf("10.2.2.3", allowed)).toBe("internal");
    expect(reachOf("127.0.0.1", allowed)).toBe("internal");
  });
});

test.each(["10.0.0.0", "10.0.0.0/33", "fd00::/129", "example.com/8", "10.0.0.0/8/8", "/8", "10.0.0.0/x"])(
  "%s is refused as a CIDR",
  (text) => {
    expect(() => cidrList([text])).toThrow(CidrError);
  },
);
