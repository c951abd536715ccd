import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScratch, openssl, type Scratch } from "../../test/openssl.ts";
import { certificatePem, makeLeaf, makeTrees } from "../../test/trees.ts";
import { zlint } from "../../test/zlint.ts";
import { makeResponder } from "../authorities/responder.ts";
import { constructed, DerError, element, objectIdentifier, octetString, sequence, tags } from "./der.ts";
import { readOcspRequest } from "./ocsp-request.ts";
import { type CertStatus, makeOcspResponse } from "./ocsp-response.ts";

const now = new Date();
const trees = makeTrees(now);
const ca = trees["issuing-ca"];
const leaf = makeLeaf(ca);
const responder = makeResponder(ca, now);
const nextUpdate = new Date(now.getTime() + 3_600_000);
let scratch: Scratch;
let paths: { leaf: string; ca: string; root: string };
beforeAll(async () => {
  scratch = await openScratch();
  paths = {
    leaf: await scratch.file("leaf.pem", certificatePem(leaf)),
    ca: await scratch.file("ca.pem", certificatePem(ca.der)),
    root: await scratch.file("root.pem", certificatePem(trees["issuing-root"].der)),
  };
});
afterAll(() => scratch[Symbol.asyncDispose]());

async function requestOf(...options: string[]): Promise<Buffer> {
  const out = scratch.path("request.der");
  await openssl("ocsp", "-issuer", paths.ca, ...options, "-cert", paths.leaf, "-reqout", out);
  return readFile(out);
}

/** What openssl makes of an answer to a request: first of its nonce and signature, then of what it says. */
async function read(request: Buffer, response: Buffer, hash: string): Promise<string> {
  const [requestPath, responsePath] = [
    await scratch.file("in.req", request),
    await scratch.file("in.resp", response),
  ];
  const trust = ["-CAfile", paths.root, "-verify_other", paths.ca, "-issuer", paths.ca];
  const checked = await openssl("ocsp", ...trust, "-reqin", requestPath, "-respin", responsePath);
  const shown = ["-respin", responsePath, "-no_nonce", hash, "-cert", paths.leaf];
  return checked + (await openssl("ocsp", ...trust, ...shown));
}

describe("an OCSP answer", () => {
  test.each([
    [["-sha1"], "with a nonce"],
    [["-sha256"], "with a nonce"],
    [["-sha1", "-no_nonce"], "without one"],
    [["-sha256", "-no_nonce"], "without one"],
  ])("to %s, %s, is what openssl asked for", async (options, nonce) => {
    const request = await requestOf(...options);
    const { certIds, nonce: sent } = readOcspRequest(request);
    expect(certIds).toMatchObject([
      { hash: options[0]?.slice(1), serial: new X509Certificate(leaf).serialNumber.toUpperCase() },
    ]);
    expect(sent !== null).toBe(nonce === "with a nonce");
    const statuses: [CertStatus, RegExp][] = [
      [{ status: "good" }, /leaf.pem: good/],
      [{ status: "unknown" }, /leaf.pem: unknown/],
      [{ status: "revoked", revokedAt: now, reason: "Unspecified" }, /leaf.pem: revoked\n(?!.*Reason:)/s],
      [{ status: "revoked", revokedAt: now, reason: "KeyCompromise" }, /revoked\n.*Reason: keyCompromise/s],
    ];
    for (const [status, expected] of statuses) {
      const answers = certIds.map((certId) => ({ certId, status }));
      const response = makeOcspResponse({ answers, nonce: sent, now, nextUpdate }, responder);
      const shown = await read(request, response, options[0] ?? "");
      expect(shown).toMatch(expected);
      expect(shown).toContain("Response verify OK");
      if (sent) expect(shown).not.toContain("nonce");
    }
  });

  test("with another's nonce is refused by openssl", async () => {
    const [request, other] = [await requestOf("-sha256"), await requestOf("-sha256")];
    const { certIds } = readOcspRequest(request);
    const answers = certIds.map((certId) => ({ certId, status: { status: "good" } as const }));
    const { nonce } = readOcspRequest(other);
    const response = makeOcspResponse({ answers, nonce, now, nextUpdate }, responder);
    await expect(read(request, response, "-sha256")).rejects.toThrow("Nonce Verify error");
  });
});

describe("the responder's certificate", () => {
  test("is for OCSP only, short-lived, and not to be looked up itself", async () => {
    const path = await scratch.file("responder.pem", certificatePem(responder.certificate));
    const shown = (await openssl("x509", "-noout", "-text", "-in", path)).replaceAll(/\s+/g, " ");
    expect(shown).toContain("X509v3 Extended Key Usage: OCSP Signing OCSP No Check:");
    const { validFrom, validTo } = new X509Certificate(responder.certificate);
    expect(Date.parse(validTo) - Date.parse(validFrom)).toBeLessThan(30 * 86_400_000);
    expect(await zlint(responder.certificate)).toEqual([]);
  });
});

describe("a request that is none", () => {
  const sha256 = sequence(objectIdentifier("2.16.840.1.101.3.4.2.1"));
  const certId = (algorithm = sha256, length = 32) =>
    sequence(
      algorithm,
      octetString(Buffer.alloc(length)),
      octetString(Buffer.alloc(length)),
      element(tags.integer, Buffer.of(5)),
    );
  const request = (ids: Buffer[], ...rest: Buffer[]) =>
    sequence(sequence(sequence(...ids.map((id) => sequence(id))), ...rest));
  const nonce = (length: number, critical: Buffer[] = []) =>
    sequence(
      objectIdentifier("1.3.6.1.5.5.7.48.1.2"),
      ...critical,
      octetString(octetString(Buffer.alloc(length))),
    );
  const extensions = (...all: Buffer[]) => element(constructed(2), sequence(...all));
  const critical = [element(tags.boolean, Buffer.of(0xff))];

  test("is told apart from one that is", () => {
    expect(readOcspRequest(request([certId()])).certIds[0]?.serial).toBe("05");
    expect(readOcspRequest(request([certId()], extensions(nonce(128, critical)))).nonce).toHaveLength(131);
    expect(readOcspRequest(request([certId(), certId()])).certIds).toHaveLength(2);
  });

  test.each<[string, Buffer]>([
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("GET / HTTP/1.1")],
    ["no certificate", request([])],
    ["too many certificates", request(Array.from({ length: 17 }, () => certId()))],
    ["another hash", request([certId(sequence(objectIdentifier("2.16.840.1.101.3.4.2.2")))])],
    ["a hash of another length", request([certId(sha256, 20)])],
    ["an empty nonce", request([certId()], extensions(nonce(0)))],
    ["a nonce that is too long", request([certId()], extensions(nonce(129)))],
    ["two nonces", request([certId()], extensions(nonce(8), nonce(8)))],
    [
      "a critical extension",
      request(
        [certId()],
        extensions(sequence(objectIdentifier("1.2.3"), ...critical, octetString(Buffer.alloc(2)))),
      ),
    ],
    ["an indefinite length", Buffer.from("3080300030000000", "hex")],
    ["a length beyond the end", Buffer.from("30843000ffff", "hex")],
  ])("is refused: %s", (_what, der) => {
    expect(() => readOcspRequest(der)).toThrow(DerError);
  });
});
