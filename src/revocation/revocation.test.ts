import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, test } from "vitest";
import type { CertificateVersion } from "#gen/prisma/client.ts";
import {
  type ControlPlane,
  dayMs,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  openControlPlane,
  operator,
  type TestAgent,
} from "../../test/fixtures.ts";
import { openScratch, openssl, type Scratch } from "../../test/openssl.ts";
import { certificatePem } from "../../test/trees.ts";
import { zlint } from "../../test/zlint.ts";
import { authorityPem } from "../authorities/authority.ts";
import { performRevocation } from "../certificates/perform-revocation.ts";
import { revokeCertificate } from "../certificates/revoke.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import { type PkiListener, startPkiListener } from "../pki/listener.ts";
import { createBuckets } from "../platform/buckets.ts";
import { rebuildCrl } from "./crl.ts";
import { revocationRoutes } from "./routes.ts";
import { refreshRevocationData } from "./task.ts";

let plane: ControlPlane;
let agent: TestAgent;
let listener: PkiListener;
let scratch: Scratch;
let url: string;
beforeEach(async () => {
  await using opening = new AsyncDisposableStack();
  // openssl compares with its own clock.
  plane = opening.use(await openControlPlane(undefined, { now: new Date().toISOString() }));
  scratch = opening.use(await openScratch());
  agent = await newAgent(plane);
  const buckets = createBuckets({ perSecond: 1, burst: 50, clock: plane.clock });
  const routes = revocationRoutes({ ...plane, buckets });
  listener = opening.use(await startPkiListener({ port: 0, address: "127.0.0.1", routes, log: plane.log }));
  url = `http://127.0.0.1:${listener.port}`;
  await scratch.file("ca.pem", authorityPem(ca()));
  await scratch.file("root.pem", authorityPem(plane.authorities.byRole["issuing-root"]));
  const parts = opening.move();
  return () => parts.disposeAsync();
});
const { signal } = new AbortController();
const ca = () => plane.authorities.byRole["issuing-ca"];

async function issued(validityDays = 46): Promise<CertificateVersion> {
  const validitySeconds = validityDays * 86_400;
  const certificateId = await newCertificate(plane, { agentId: agent.id, validitySeconds });
  return issueVersion(plane, agent, certificateId, newCsr(["site.example"]));
}

async function revoke(
  version: CertificateVersion,
  reason: RevocationReason = "KeyCompromise",
): Promise<void> {
  const wanted = { id: version.certificateId, versionId: version.id, reason, force: true };
  for (const jobId of await revokeCertificate(plane, operator, wanted))
    await performRevocation(plane, jobId, signal);
}

async function crl(): Promise<{ text: string; serials: string[]; number: number; der: Buffer }> {
  const answer = await fetch(`${url}/crl/${ca().id}.crl`);
  const der = Buffer.from(await answer.arrayBuffer());
  const path = await scratch.file("got.crl", der);
  const verify = ["-CAfile", scratch.path("ca.pem"), "-verify"];
  const text = await openssl("crl", "-inform", "DER", "-in", path, "-noout", "-text", ...verify);
  expect(text).toContain("verify OK");
  const serials = Array.from(text.matchAll(/Serial Number: (\w+)/g), ([, serial = ""]) => serial);
  return { text, serials, number: Number(/CRL Number: \s+(\d+)/.exec(text)?.[1]), der };
}

/** What openssl is told of a certificate over HTTP. */
async function ocsp(version: CertificateVersion, ...options: string[]): Promise<string> {
  const path = await scratch.file("leaf.pem", certificatePem(new X509Certificate(version.pemChain).raw));
  const trust = [
    "-CAfile",
    scratch.path("root.pem"),
    "-issuer",
    scratch.path("ca.pem"),
    "-verify_other",
    scratch.path("ca.pem"),
  ];
  const asked = await openssl("ocsp", ...trust, "-url", `${url}/ocsp`, ...options, "-cert", path);
  expect(asked).toContain("Response verify OK");
  return /leaf.pem: (\w+)/.exec(asked)?.[1] ?? asked;
}

async function requestOf(serial: string, ...options: string[]): Promise<Buffer> {
  const out = scratch.path("request.der");
  const asked = ["-issuer", scratch.path("ca.pem"), ...options, "-serial", `0x${serial}`, "-reqout", out];
  await openssl("ocsp", ...asked);
  return readFile(out);
}
const inPath = (request: Buffer) => `${url}/ocsp/${encodeURIComponent(request.toString("base64"))}`;

describe("the CRL of the local CA", () => {
  test("is there before anybody asks, empty, and is the same for everybody", async () => {
    await refreshRevocationData(plane, plane.time.now);
    const { serials, number, der } = await crl();
    expect(serials).toEqual([]);
    expect(number).toBe(Math.floor(plane.time.now.getTime() / 1000));
    expect((await crl()).der).toEqual(der);
    expect(await zlint(der, "crl")).toEqual([]);
  });

  test("is made anew by a revocation, in a task of its own transaction, under the next number", async () => {
    await refreshRevocationData(plane, plane.time.now);
    const before = await crl();
    const [bad, good] = [await issued(), await issued()];
    await revoke(bad);
    const tasks = await plane.db.$queryRaw<unknown[]>`
      SELECT 1 FROM graphile_worker.jobs WHERE task_identifier = 'crl' AND key = ${`crl:${ca().id}`}`;
    expect(tasks).toHaveLength(1);
    await rebuildCrl(plane, ca().id);
    const after = await crl();
    expect(after.serials).toEqual([bad.serial]);
    expect(after.number).toBe(before.number + 1);
    expect(after.text).toContain("Key Compromise");
    const checked = async ({ pemChain }: CertificateVersion) =>
      openssl(
        ...["verify", "-x509_strict", "-auth_level", "2", "-crl_check"],
        ...[
          "-CRLfile",
          await scratch.file("c.pem", certificatePem(after.der).replaceAll("CERTIFICATE", "X509 CRL")),
        ],
        ...["-CAfile", scratch.path("root.pem"), "-untrusted", scratch.path("ca.pem")],
        await scratch.file("l.pem", pemChain),
      );
    expect(await checked(good)).toContain("OK");
    await expect(checked(bad)).rejects.toThrow("certificate revoked");
  });

  test("has an entry until it stood in one that was made after the certificate's end", async () => {
    const version = await issued(1);
    await revoke(version, "Superseded");
    const at = async (days: number) => {
      plane.time.now = new Date(version.notBefore.getTime() + days * dayMs);
      await rebuildCrl(plane, ca().id);
      return plane.db.authorityCrl.findUniqueOrThrow({ where: { authorityId: ca().id } });
    };
    expect(await at(0.5)).toMatchObject({ entries: 1 });
    expect(await at(1.5)).toMatchObject({ entries: 1 });
    expect(await at(2.5)).toMatchObject({ entries: 0 });
  });

  test("grows its number past one that a restored backup does not know of", async () => {
    await refreshRevocationData(plane, plane.time.now);
    const { number } = await crl();
    await plane.db.authorityCrl.update({
      where: { authorityId: ca().id },
      data: { number: BigInt(number - 500_000) },
    });
    await rebuildCrl(plane, ca().id);
    expect((await crl()).number).toBe(number);
    await plane.db.authorityCrl.update({
      where: { authorityId: ca().id },
      data: { number: BigInt(number + 500_000) },
    });
    await rebuildCrl(plane, ca().id);
    expect((await crl()).number).toBe(number + 500_001);
  });

  test("is made anew every day, and when a revocation's own task was lost", async () => {
    expect(await refreshRevocationData(plane, plane.time.now)).toContain("1 CRLs made");
    const later = (ms: number) => {
      plane.time.now = new Date(plane.time.now.getTime() + ms);
      return plane.time.now;
    };
    expect(await refreshRevocationData(plane, later(dayMs - 1_000))).toContain("0 CRLs made");
    expect(await refreshRevocationData(plane, later(3_000))).toContain("1 CRLs made");
    const version = await issued();
    later(60_000);
    await revoke(version);
    expect(await refreshRevocationData(plane, plane.time.now)).toContain("1 CRLs made");
    expect(await refreshRevocationData(plane, plane.time.now)).toContain("0 CRLs made");
  });

  test("is kept by others for minutes, and not sent again while it is the same", async () => {
    await refreshRevocationData(plane, plane.time.now);
    const first = await fetch(`${url}/crl/${ca().id}.crl`);
    expect(first.headers.get("cache-control")).toContain("max-age=300");
    expect(first.headers.get("content-type")).toBe("application/pkix-crl");
    const headers = { "if-none-match": first.headers.get("etag") ?? "" };
    expect((await fetch(`${url}/crl/${ca().id}.crl`, { headers })).status).toBe(304);
    for (const path of ["/crl/ca-nobody.crl", "/crl/../x.crl", `/crl/${ca().id}`, "/crl/"])
      expect((await fetch(url + path)).status).toBe(404);
  });
});

test("the CA's certificate is served where leaves say so", async () => {
  const answer = await fetch(`${url}/ca/${ca().id}.cer`);
  expect(answer.headers.get("content-type")).toBe("application/pkix-cert");
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(ca().der);
  expect((await fetch(`${url}/ca/${plane.authorities.byRole["agent-ca"].id}.cer`)).status).toBe(404);
});

describe("OCSP", () => {
  test.each(["-sha1", "-sha256", "-sha1 -no_nonce", "-sha256 -no_nonce"])(
    "says good, and revoked from the revocation's commit on: %s",
    async (options) => {
      const version = await issued();
      expect(await ocsp(version, ...options.split(" "))).toBe("good");
      await revoke(version);
      expect(await ocsp(version, ...options.split(" "))).toBe("revoked");
    },
  );

  test("says good of what is recorded and may be signed, unknown of anything else, and nothing of others' CAs", async () => {
    const version = await issued();
    await plane.db.certificateVersion.updateMany({ data: { authorityId: null } });
    expect(await ocsp(version)).toBe("good");
    await plane.db.issuance.deleteMany();
    expect(await ocsp(version)).toBe("unknown");
    await scratch.file("ca.pem", authorityPem(plane.authorities.byRole["agent-ca"]));
    const foreign = await fetch(inPath(await requestOf("01")));
    expect(Buffer.from(await foreign.arrayBuffer()).toString("hex")).toBe("30030a0106");
    const none = await fetch(`${url}/ocsp`, { method: "POST", body: "what?" });
    expect(Buffer.from(await none.arrayBuffer()).toString("hex")).toBe("30030a0101");
  });

  test("keeps an answer without a nonce until half of its time, lets others keep it, and replaces it at a revocation", async () => {
    const version = await issued();
    const request = await requestOf(version.serial, "-no_nonce");
    const ask = async () => {
      const answer = await fetch(inPath(request));
      const { headers } = answer;
      return { der: Buffer.from(await answer.arrayBuffer()), headers };
    };
    const first = await ask();
    expect(first.headers.get("cache-control")).toContain("max-age=3600");
    expect((await ask()).der).toEqual(first.der);
    // The path as it is: slashes of base64 may come as they are.
    const raw = await fetch(`${url}/ocsp/${request.toString("base64")}`);
    expect(Buffer.from(await raw.arrayBuffer())).toEqual(first.der);
    const headers = { "if-none-match": first.headers.get("etag") ?? "" };
    expect((await fetch(inPath(request), { headers })).status).toBe(304);
    plane.time.now = new Date(plane.time.now.getTime() + 13 * 3_600_000);
    const second = await ask();
    expect(second.der).not.toEqual(first.der);
    await revoke(version);
    const [kept] = await plane.db.ocspAnswer.findMany();
    expect(Buffer.from(kept?.der ?? [])).not.toEqual(second.der);
    expect((await ask()).der).toEqual(Buffer.from(kept?.der ?? []));
    plane.time.now = new Date(plane.time.now.getTime() + 25 * 3_600_000);
    expect(await refreshRevocationData(plane, plane.time.now)).toContain("1 OCSP answers forgotten");
  });

  test("signs anew for a nonce, never lets that be kept, and slows down one address that asks for much", async () => {
    const version = await issued();
    const request = await requestOf(version.serial);
    const answers = [];
    for (let i = 0; i < 52; i += 1) answers.push(await fetch(inPath(request)));
    expect(answers[0]?.headers.get("cache-control")).toBe("no-store");
    const bodies = await Promise.all(
      answers.slice(0, 2).map(async (a) => Buffer.from(await a.arrayBuffer())),
    );
    expect(bodies[0]).not.toEqual(bodies[1]);
    expect(answers.map(({ status }) => status).filter((status) => status === 429)).toHaveLength(2);
    expect(answers.at(-1)?.headers.get("retry-after")).toBe("1");
    expect(await plane.db.ocspAnswer.count()).toBe(0);
  });

  test("is answered by a certificate of 30 days, which is replaced in time and then forgotten", async () => {
    const version = await issued(300);
    await ocsp(version);
    const [first] = await plane.db.ocspResponder.findMany();
    await ocsp(version);
    expect(await plane.db.ocspResponder.count()).toBe(1);
    plane.time.now = new Date((first?.notAfter.getTime() ?? 0) - 10 * dayMs);
    await fetch(inPath(await requestOf(version.serial)));
    expect(await plane.db.ocspResponder.count()).toBe(2);
    plane.time.now = new Date(plane.time.now.getTime() + 20 * dayMs + 60_000);
    await fetch(inPath(await requestOf(version.serial)));
    const ids = (await plane.db.ocspResponder.findMany()).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(ids).not.toContain(first?.id);
  });
});
