import { describe, expect, test } from "vitest";
import { recognize } from "./decode.ts";

const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";

describe("what was pasted", () => {
  test("is a certificate, also with text around it", () => {
    expect(recognize(`subject=CN=shop\n${pem}\n`)).toEqual({ kind: "certificate", pem });
  });

  test("is a signing request", () => {
    const csr = pem.replaceAll("CERTIFICATE", "CERTIFICATE REQUEST");
    expect(recognize(csr)).toEqual({ kind: "csr", pem: csr });
  });

  test("is a serial number or a fingerprint, with colons or without", () => {
    expect(recognize(" 59:12:EE:E4:35:AA:00:11 ")).toEqual({ kind: "fingerprint", hex: "5912EEE435AA0011" });
    expect(recognize("beef")).toEqual({ kind: "text", text: "beef" });
  });

  test("is a URL, of which the host counts", () => {
    expect(recognize("https://shop.example.com:8443/a?b=c")).toEqual({
      kind: "url",
      host: "shop.example.com",
    });
  });

  test("is a text otherwise", () => {
    expect(recognize("  shop ")).toEqual({ kind: "text", text: "shop" });
  });
});
