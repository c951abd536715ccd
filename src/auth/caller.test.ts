import { describe, expect, test } from "vitest";
import { whyNotLocal } from "./caller.ts";

const local = { host: "localhost:8443" };

describe("a call without a credential", () => {
  test.each([
    ["127.0.0.1", local],
    ["::ffff:127.0.0.1", { host: "127.0.0.1:8443" }],
    ["::1", { ":authority": "[::1]:8443" }],
    ["127.0.0.1", { ...local, origin: "https://localhost:8443" }],
  ])("from %s with %j comes from this machine", (address, headers) => {
    expect(whyNotLocal(address, headers)).toBeNull();
  });

  test.each([
    ["192.0.2.1", local, "it came from 192.0.2.1"],
    ["127.0.0.1", { ...local, "x-forwarded-for": "192.0.2.1" }, "through a proxy (x-forwarded-for)"],
    ["127.0.0.1", { ...local, forwarded: "for=192.0.2.1" }, "through a proxy (forwarded)"],
    ["127.0.0.1", { ...local, via: "1.1 proxy" }, "through a proxy (via)"],
    ["127.0.0.1", { host: "rebound.example:8443" }, "no name of this machine"],
    ["127.0.0.1", { ...local, origin: "https://evil.example" }, "a page of https://evil.example"],
    ["127.0.0.1", {}, "no name of this machine"],
  ])("from %s with %j does not", (address, headers, reason) => {
    expect(whyNotLocal(address, headers)).toContain(reason);
  });
});
