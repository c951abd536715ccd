import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { makeChain, makePlaceholder } from "../../test/certificates.ts";
import { bundleOf } from "../../test/stage.ts";
import { matchPair } from "./pair.ts";
import { fingerprintOf } from "./probe.ts";

const chain = makeChain({ sans: ["site.test", "*.site.test", "127.0.0.1", "::1"] });
const other = makeChain({ sans: ["site.test"] });
const bundle = bundleOf(chain, "key-1");
const now = new Date();

test("puts the leaf before its intermediates and leaves the root out", () => {
  const pair = matchPair({ ...bundle, chainPem: [chain.intermediatePem, chain.rootPem] }, "site.test", now);
  expect(pair.certificatePem).toBe(chain.leafPem + chain.intermediatePem);
  expect(pair.keyPem).toBe(chain.keyPem);
});

test("writes nothing that stood around the PEM", () => {
  const leafPem = `; include /etc/passwd\n${chain.leafPem.replaceAll("\n", "\r\n")}\n# more`;
  const { certificatePem } = matchPair({ ...bundle, leafPem }, null, now);
  expect(certificatePem).toBe(chain.leafPem + chain.intermediatePem);
});

test("takes a self-signed certificate that is its own root", () => {
  const { certificatePem, keyPem } = makePlaceholder();
  const fingerprintSha256 = fingerprintOf(new X509Certificate(certificatePem));
  const parts = { leafPem: certificatePem, rootPem: certificatePem, chainPem: [], keyPem, sans: [] };
  expect(matchPair({ ...bundle, ...parts, fingerprintSha256 }, null, now).certificatePem).toBe(
    certificatePem,
  );
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const afterEnd = new Date(now.getTime() + 2 * 86_400_000);

test.each([
  ["another key", { keyPem: other.keyPem }, /key key-1 does not belong/],
  [
    "a key of another kind",
    { keyPem: rsa.export({ type: "pkcs8", format: "pem" }).toString() },
    /not belong/,
  ],
  ["no key", { keyPem: chain.leafPem }, /private key cannot be read/],
  ["another fingerprint", { fingerprintSha256: other.fingerprintSha256 }, /SHA-256 is/],
  ["another leaf", { leafPem: other.leafPem }, /SHA-256 is/],
  ["two leaves", { leafPem: chain.leafPem + other.leafPem }, /leaf is not exactly one/],
  ["no intermediate", { chainPem: [] }, /was not issued by "CN=Test Root"/],
  ["another intermediate", { chainPem: [other.intermediatePem] }, /was not issued by/],
  ["a leaf in the chain", { chainPem: [other.leafPem] }, /is no CA/],
  ["another root", { rootPem: other.rootPem }, /was not issued by/],
  ["a root that is none", { rootPem: chain.intermediatePem }, /root is not self-signed/],
  ["a name too many", { sans: ["site.test", "other.test"] }, /not valid for other.test/],
  [
    "garbage",
    { chainPem: ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"] },
    /chain\[0\] cannot/,
  ],
])("refuses %s", (_what, change, message) => {
  expect(() => matchPair({ ...bundle, ...change }, null, now)).toThrow(message);
});

test("refuses what is not valid yet or no more", () => {
  expect(() => matchPair(bundle, null, afterEnd)).toThrow(/expired at/);
  expect(() => matchPair(bundle, null, new Date(0))).toThrow(/is not valid before/);
});

test("refuses to be proven under a name that the leaf lacks", () => {
  expect(() => matchPair(bundle, "elsewhere.test", now)).toThrow(/not valid for elsewhere.test/);
});
