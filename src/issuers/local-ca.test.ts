import { X509Certificate } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate } from "@peculiar/asn1-x509";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ControlPlane,
  dayMs,
  newAgent,
  newCertificate,
  newCsr,
  openControlPlane,
  openIssuance,
} from "../../test/fixtures.ts";
import { openScratch, openssl } from "../../test/openssl.ts";
import { system } from "../audit/record.ts";
import { challengesOf } from "../challenges/keep.ts";
import { IssuedWrongError } from "../x509/certificate.ts";
import { pem } from "../x509/pem.ts";
import { issuerAccount } from "./account.ts";
import {
  type Issued,
  type IssueRequest,
  type IssuerContext,
  IssuerError,
  type RecordedIssuance,
} from "./issuer.ts";
import { localCa } from "./local-ca.ts";
import { orderBudget } from "./order-budget.ts";
import { recordIssuance } from "./record.ts";
import { issuerByKind, issuers } from "./registry.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());

/** A job of the database, as issuances refer to one. */
async function newRequest(changes: Partial<IssueRequest> = {}): Promise<IssueRequest> {
  const agent = await newAgent(plane);
  const { id } = await openIssuance(plane, agent, await newCertificate(plane, { agentId: agent.id }));
  return {
    keyId: id,
    commonName: "site.example",
    sans: ["site.example"],
    csr: newCsr(["site.example"]).der,
    validitySeconds: 46 * 86_400,
    now: plane.time.now,
    replaces: null,
    ...changes,
  };
}

async function issue(request: IssueRequest, changes: Partial<IssuerContext> = {}): Promise<Issued> {
  const context: IssuerContext = {
    signal: new AbortController().signal,
    clock: plane.clock,
    egress: plane.egress,
    commands: plane.commands,
    issuerId: "iss-local",
    jobId: request.keyId,
    order: { read: async () => null, write: () => Promise.reject(new Error("no order is kept")) },
    budget: orderBudget(plane.db, "iss-local", plane.clock),
    progress: async () => {},
    account: issuerAccount(plane, "iss-local", system),
    challenges: challengesOf(
      plane.db,
      { issuerId: "iss-local", jobId: request.keyId, agentId: "" },
      plane.clock,
    ),
    askAgent: async () => {},
    issuing: plane.issuing,
    record: (keyId, next) => recordIssuance(plane.db, { jobId: keyId, keyId }, next),
    ...changes,
  };
  const answer = await localCa.issue(request, {}, context);
  if ("pollAfterMs" in answer) throw new Error("the local CA signs at once");
  return answer;
}

function tbsOf(der: Buffer): string {
  return Buffer.from(AsnConvert.parse(der, Certificate).tbsCertificateRaw ?? new ArrayBuffer()).toString(
    "hex",
  );
}

describe("the local CA", () => {
  test("issues what openssl accepts as a server's certificate", async () => {
    await using scratch = await openScratch();
    const { leafDer, chainPem, rootPem } = await issue(await newRequest());
    const [leaf, chain, root] = [
      await scratch.file("leaf.pem", pem("CERTIFICATE", leafDer)),
      await scratch.file("chain.pem", chainPem.join("")),
      await scratch.file("root.pem", rootPem),
    ];
    const at = ["-attime", String(plane.time.now.getTime() / 1000)];
    const checks = [
      "-x509_strict",
      "-auth_level",
      "2",
      "-purpose",
      "sslserver",
      "-verify_hostname",
      "site.example",
    ];
    expect(await openssl("verify", ...at, ...checks, "-CAfile", root, "-untrusted", chain, leaf)).toContain(
      "OK",
    );
  });

  test("commits what it signs before it signs it", async () => {
    const request = await newRequest();
    const recorded: string[] = [];
    const lost = issue(request, {
      async record(keyId, next) {
        recorded.push((await recordIssuance(plane.db, { jobId: keyId, keyId }, next)).tbs.toString("hex"));
        throw new Error("the server dies");
      },
    });
    await expect(lost).rejects.toThrow("the server dies");
    expect(tbsOf((await issue(request)).leafDer)).toBe(recorded[0]);
  });

  test("signs for one job the same content, whenever and however often it is asked", async () => {
    const request = await newRequest();
    const first = await issue(request);
    const again = { ...request, validitySeconds: 86_400, now: new Date(request.now.getTime() + dayMs) };
    const [second, third] = await Promise.all([issue(again), issue(again)]);
    for (const { leafDer } of [second, third]) expect(tbsOf(leafDer)).toBe(tbsOf(first.leafDer));
    const { serialNumber } = new X509Certificate(first.leafDer);
    const { serial } = await plane.db.issuance.findUniqueOrThrow({ where: { keyId: request.keyId } });
    expect(serial).toBe(serialNumber);
  });

  test("signs for two jobs under two serial numbers", async () => {
    const [first, second] = [await issue(await newRequest()), await issue(await newRequest())];
    expect(new X509Certificate(first.leafDer).serialNumber).not.toBe(
      new X509Certificate(second.leafDer).serialNumber,
    );
  });

  test("refuses to go on with a CA key that is in use no longer", async () => {
    const record = async (): Promise<RecordedIssuance> => ({ authorityId: "ca-old", tbs: Buffer.alloc(0) });
    const refused = issue(await newRequest(), { record });
    await expect(refused).rejects.toThrow(IssuerError);
    await expect(refused).rejects.toMatchObject({ step: "sign", failureClass: "Configuration" });
  });
});

describe("a record that was tampered with", () => {
  /** Signs a record that was made for another request. */
  async function signForeign(request: IssueRequest, foreign: IssueRequest) {
    await issue(foreign);
    const { tbs } = await plane.db.issuance.findUniqueOrThrow({ where: { keyId: foreign.keyId } });
    const authorityId = plane.authorities.byRole["issuing-ca"].id;
    return issue(request, { record: async () => ({ authorityId, tbs: Buffer.from(tbs) }) });
  }

  test("for another key is not signed", async () => {
    const refused = signForeign(await newRequest(), await newRequest());
    await expect(refused).rejects.toThrow(IssuedWrongError);
    await expect(refused).rejects.toThrow("another public key");
  });

  test("for other names is not signed", async () => {
    const request = await newRequest();
    const foreign = await newRequest({ csr: request.csr, sans: ["evil.example"] });
    await expect(signForeign(request, foreign)).rejects.toThrow("another subject alternative names");
  });

  test("in a single bit is not signed for the job", async () => {
    const request = await newRequest();
    await issue(request);
    const where = { keyId: request.keyId };
    const { tbs } = await plane.db.issuance.findUniqueOrThrow({ where });
    const changed = Buffer.from(tbs);
    const at = changed.lastIndexOf("site.example");
    changed[at] = (changed[at] ?? 0) ^ 2;
    await plane.db.issuance.update({ where, data: { tbs: changed } });
    await expect(issue(request)).rejects.toThrow(IssuedWrongError);
  });
});

describe("the kinds of issuers", () => {
  test("are each known once", () => {
    expect(issuerByKind.size).toBe(issuers.length);
    expect(issuerByKind.get("local-ca")).toBe(localCa);
  });

  test("refuse a configuration that their schema does not know", async () => {
    const request = await newRequest();
    await expect(async () => localCa.issue(request, { surprise: true }, {} as IssuerContext)).rejects.toThrow(
      "surprise",
    );
  });
});
