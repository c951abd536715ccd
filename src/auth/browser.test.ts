import { describe, expect, test } from "vitest";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { browserOf, sessionOf } from "./browser.ts";

const own = { host: "certctl.example:8443", cookie: "a=1; __Host-certctl=ss-x_y; b=2" };
const session = (method: string, headers: Record<string, string>) =>
  sessionOf(browserOf({ method, headers }), SessionService.method.getSession);

describe("a session's cookie", () => {
  test.each([
    ["GET", own],
    ["HEAD", own],
    ["GET", { ...own, origin: "https://certctl.example:8443" }],
    ["POST", { ...own, origin: "https://certctl.example:8443" }],
    ["DELETE", { ":authority": "certctl.example", cookie: own.cookie, origin: "https://certctl.example" }],
    ["POST", { ...own, host: "certctl.example:443", origin: "https://certctl.example" }],
    ["PUT", { ...own, host: "[::1]:8443", origin: "https://[::1]:8443" }],
  ])("is taken with %s %j", (method, headers) => {
    expect(session(method, headers)).toEqual({ token: "ss-x_y", isUse: true });
  });

  test.each([
    ["POST", own],
    ["DELETE", own],
    ["OPTIONS", own],
    ["GET", { ...own, origin: "https://evil.example" }],
    ["POST", { ...own, origin: "https://evil.example" }],
    ["POST", { ...own, origin: "http://certctl.example:8443" }],
    ["POST", { ...own, origin: "https://certctl.example" }],
    ["POST", { ...own, origin: "https://certctl.example:8443.evil.example" }],
    ["POST", { ...own, origin: "null" }],
    ["POST", { cookie: own.cookie, origin: "null" }],
  ])("is refused with %s %j", (method, headers) => {
    expect(() => session(method, headers)).toThrow(/certctl/);
  });

  test("is no other site's that ends alike", () => {
    expect(session("GET", { ...own, cookie: "x__Host-certctl=ss-x_y" })).toBeNull();
    expect(session("GET", { host: own.host })).toBeNull();
  });
});
