import "reflect-metadata";
import { generateKeyPairSync } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { expect, test } from "vitest";
import { makeAuthority } from "../authorities/authority.ts";
import { leafContent } from "../authorities/leaf.ts";
import { signCertificate, tbsCertificate } from "./certificate.ts";
import { makeCsr } from "./csr.ts";
import { extendedKeyUsage } from "./extensions.ts";
import { spkiOf } from "./keys.ts";
import { parseSan } from "./names.ts";

/** Another library reads what ours wrote, and agrees. */

const names = [
  "web.example.test",
  "*.example.test",
  "192.0.2.7",
  "2001:db8::1",
  "ops@example.test",
  "urn:example:web",
];
const now = new Date("2026-11-24T10:00:00Z");
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

test("a leaf says what was asked for", async () => {
  const trustDomain = "certctl-test.internal";
  const root = makeAuthority({ id: "ca-root", role: "issuing-root", parent: null, trustDomain, now });
  const ca = makeAuthority({ id: "ca-issuing", role: "issuing-ca", parent: root, trustDomain, now });
  const content = leafContent(ca, {
    commonName: "web.example.test",
    sans: names.map(parseSan),
    spki: spkiOf(privateKey),
    isRsa: false,
    usages: [extendedKeyUsage.serverAuth],
    validitySeconds: 46 * 86_400,
    now,
  });
  const leaf = new x509.X509Certificate(
    new Uint8Array(signCertificate(tbsCertificate(content, ca.key), ca.key)),
  );

  expect(leaf.subject).toBe("CN=web.example.test");
  expect(leaf.issuer).toBe(new x509.X509Certificate(new Uint8Array(ca.der)).subject);
  expect(leaf.serialNumber).toBe(Buffer.from(content.serial).toString("hex"));
  expect(leaf.notBefore).toEqual(new Date("2026-11-24T09:55:00Z"));
  expect(leaf.notAfter).toEqual(new Date("2027-01-09T09:54:59Z"));
  expect(
    leaf
      .getExtension(x509.SubjectAlternativeNameExtension)
      ?.names.toJSON()
      .map(({ value }) => value),
  ).toEqual(names);
  expect(leaf.getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.digitalSignature);
  expect(leaf.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([extendedKeyUsage.serverAuth]);
  expect(leaf.getExtension(x509.BasicConstraintsExtension)).toBeNull();
  const verified = await leaf.verify({
    publicKey: new x509.X509Certificate(new Uint8Array(ca.der)),
    date: now,
  });
  expect(verified).toBe(true);
});

test("a CSR is signed by its key and asks for its names", async () => {
  const csr = new x509.Pkcs10CertificateRequest(
    new Uint8Array(makeCsr(privateKey, "web.example.test", names.map(parseSan))),
  );
  expect(await csr.verify()).toBe(true);
  expect(csr.subject).toBe("CN=web.example.test");
  const asked = csr.getExtension("2.5.29.17") as x509.SubjectAlternativeNameExtension;
  expect(asked.names.toJSON().map(({ value }) => value)).toEqual(names);
});
