import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startVault, type Vault } from "../../test/fakes/vault.ts";
import { issueRequest, testContext } from "../../test/issuer-context.ts";
import { checkAnswer } from "../certificates/check-answer.ts";
import { readCsr } from "../x509/csr.ts";
import { type Issued, revocationReasons } from "./issuer.ts";
import { vault as issuer } from "./vault.ts";

const now = new Date("2030-06-01T12:00:00Z");
const clock = () => now;
let vault: Vault;
let context: ReturnType<typeof testContext>;
beforeEach(async () => {
  vault = await startVault(clock);
  context = testContext({ clock });
});
afterEach(() => vault[Symbol.asyncDispose]());

const token = { method: "token", token: "hvs.right" };
const config = (changes: object = {}) => ({
  address: vault.server.url,
  ca: vault.server.ca,
  role: "web",
  auth: token,
  ...changes,
});
const approle = (changes: object = {}) =>
  config({ auth: { method: "approle", role_id: "59d6d1ca", secret_id: "84896a0c", ...changes } });
const wanted = (sans?: string[]) => issueRequest(sans, { now });

/** Without a context: for a key that was never asked for. */
async function sign(
  request = wanted(),
  changes: object = {},
  order = testContext({ clock }),
): Promise<Issued> {
  const issued = await issuer.issue(request, config(changes), order);
  if ("pollAfterMs" in issued) throw new Error("Vault signs at once");
  return issued;
}

describe("Vault", () => {
  test("signs a CSR for its names and time, and its chain leads to the root", async () => {
    const request = wanted(["site.example", "www.site.example", "10.0.0.7"]);
    const issued = await sign(request);
    checkAnswer(issued, { spki: readCsr(request.csr).spki, sans: request.sans, now });
    expect(issued).toMatchObject({
      chainPem: [vault.ca.issuerPem],
      rootPem: vault.ca.rootPem,
      authorityId: null,
    });
    const { validTo } = new X509Certificate(issued.leafDer);
    expect(Date.parse(validTo)).toBe(now.getTime() + request.validitySeconds * 1_000);
    expect(vault.signed).toMatchObject([{ commonName: "site.example", issuer: "role's" }]);
  });

  test("is told every name for roles that take none from a CSR, and no common name where there is none", async () => {
    vault.useCsrSans = false;
    const sans = ["site.example", "10.0.0.7", "2001:db8::7", "ops@site.example", "spiffe://site.example/web"];
    const request = issueRequest(sans, { now, commonName: "" });
    checkAnswer(await sign(request), { spki: readCsr(request.csr).spki, sans, now });
    expect(vault.signed).toMatchObject([{ commonName: "" }]);
  });

  test("is asked for the issuer that is named, at the mount and in the namespace that are named", async () => {
    Object.assign(vault, { mount: "pki/int", issuerRef: "blue", namespace: "team-a/prod" });
    vault.tokens.set("hvs.right", { paths: ["pki/int/issuer/blue/sign/web"], expireTime: null });
    await sign(wanted(), { mount: "pki/int", issuer_ref: "blue", namespace: "team-a/prod" });
    expect(vault.signed).toMatchObject([{ issuer: "blue" }]);
    for (const changes of [
      { issuer_ref: "blue", namespace: "team-a/prod" },
      { mount: "pki/int", issuer_ref: "blue" },
    ])
      await expect(sign(wanted(), changes)).rejects.toMatchObject({ failureClass: "Configuration" });
    await expect(sign(wanted(), { mount: "pki/int", namespace: "team-a/prod" })).rejects.toThrow(
      "permission denied",
    );
  });

  test("refuses in its own words", async () => {
    await expect(sign(wanted(["x.forbidden.example"]))).rejects.toMatchObject({
      step: "sign",
      failureClass: "Refused",
      message: expect.stringContaining("subject alternate name x.forbidden.example not allowed by this role"),
    });
    const mail = { auth: { method: "token", token: "hvs.other" } };
    const refused = await sign(wanted(), mail).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      failureClass: "Configuration",
      message: expect.stringContaining("invalid token"),
    });
    expect(String(refused)).not.toContain("hvs.");
    vault.server.befall(/sign/, { status: 503, body: { errors: ["Vault is sealed"] } });
    await expect(sign()).rejects.toMatchObject({
      failureClass: "Network",
      message: expect.stringContaining("sealed"),
    });
  });

  test("is trusted by the CA that is named alone", async () => {
    await expect(sign(wanted(), { ca: vault.ca.rootPem })).rejects.toMatchObject({ failureClass: "Network" });
  });
});

describe("an AppRole", () => {
  test("logs in for each use, and leaves no token behind", async () => {
    await issuer.issue(wanted(), approle(), context);
    expect(vault.server.calls.map((call) => call.trim())).toEqual([
      "POST /v1/auth/approle/login",
      "POST /v1/pki/sign/web",
      "POST /v1/auth/token/revoke-self",
    ]);
    expect([...vault.tokens.keys()]).toEqual(["hvs.right"]);
    vault.server.befall(/revoke-self/, { status: 400, body: { errors: ["batch tokens cannot be revoked"] } });
    await issuer.issue(wanted(), approle(), testContext({ clock }));
    expect(vault.signed).toHaveLength(2);
  });

  test("of another mount, id or secret is refused, and the secret is not shown", async () => {
    vault.approle.mount = "machines";
    await issuer.issue(wanted(), approle({ mount: "machines" }), context);
    const unknown = issuer.issue(wanted(), approle(), testContext({ clock }));
    await expect(unknown).rejects.toThrow("answered 403");
    for (const changes of [{ role_id: "other" }, { secret_id: "a-wrong-secret" }]) {
      const failed = issuer.issue(
        wanted(),
        approle({ mount: "machines", ...changes }),
        testContext({ clock }),
      );
      const error = await failed.catch((failure: unknown) => failure);
      expect(error).toMatchObject({
        message: expect.stringContaining("invalid role or secret ID"),
        failureClass: "Configuration",
      });
      expect(String(error)).not.toContain("a-wrong-secret");
    }
  });
});

describe("an order", () => {
  test("that was signed is not asked for again, and is kept once", async () => {
    const request = wanted();
    const first = await sign(request, {}, context);
    expect(context.state && issuer.isCommitted?.(context.state)).toBe(true);
    expect(await sign(request, {}, context)).toEqual(first);
    expect(vault.signed).toHaveLength(1);
    expect(context.state).toBeNull();
    await sign(request, {}, context);
    expect(vault.signed).toHaveLength(2);
  });

  test("whose answer was lost leaves nothing that keeps another CA from signing", async () => {
    vault.server.befall(/sign/, "lost");
    await expect(sign(wanted(), {}, context)).rejects.toMatchObject({ failureClass: "Network" });
    expect(context.state).toBeNull();
  });
});

describe("a revocation", () => {
  test.each(revocationReasons)("for %s is done, and done again is fine", async (reason) => {
    const issued = await sign();
    const { serialNumber: serial } = new X509Certificate(issued.leafDer);
    const [issuerPem = ""] = issued.chainPem;
    const request = {
      leafDer: issued.leafDer,
      issuerDer: new X509Certificate(issuerPem).raw,
      serial,
      reason,
      authorityId: null,
      now,
    };
    for (const settings of [config(), approle()]) await issuer.revoke?.(request, settings, context);
    expect([...vault.revoked]).toEqual(vault.signed.map((each) => each.serial));
    const unknown = issuer.revoke?.({ ...request, serial: "0A" }, config(), context);
    await expect(unknown).rejects.toThrow("certificate with serial 0a not found");
  });
});

describe("a test", () => {
  test("says who signs, until when, and what the login may not do; nothing is signed", async () => {
    const end = vault.ca.notAfter.toISOString();
    expect(await issuer.test(config(), context)).toBe(`role web signs with CN=Fake Issuing CA until ${end}`);
    vault.tokens.set("hvs.right", { paths: ["pki/sign/web"], expireTime: "2030-07-01T00:00:00Z" });
    expect(await issuer.test(config(), context)).toBe(
      `role web signs with CN=Fake Issuing CA until ${end}; it may not revoke; the token ends at 2030-07-01T00:00:00Z`,
    );
    expect(vault.signed).toEqual([]);
    expect(await issuer.test(approle(), context)).toContain("the token ends at");
    expect([...vault.tokens.keys()]).toEqual(["hvs.right"]);
  });

  test("fails where the login may not sign, or the CA is of the past", async () => {
    await expect(issuer.test(config({ role: "other" }), context)).rejects.toMatchObject({
      failureClass: "Configuration",
      message: "the login may not update pki/sign/other",
    });
    const later = { ...context, clock: () => new Date("2040-01-01T00:00:00Z") };
    await expect(issuer.test(config(), later)).rejects.toThrow("the CA CN=Fake Issuing CA ended at");
    await expect(issuer.test(config({ issuer_ref: "green" }), context)).rejects.toMatchObject({
      failureClass: "Configuration",
    });
  });

  test("finds a configuration that leads elsewhere before it is used", () => {
    const problems = (changes: object) => issuer.config.safeParse(config(changes)).error?.issues.length;
    for (const changes of [
      { role: "../other" },
      { mount: "pki/../sys" },
      { address: "http://vault.example" },
    ])
      expect(problems(changes), JSON.stringify(changes)).toBe(1);
    expect(problems({ auth: { method: "token" } })).toBe(1);
    expect(problems({})).toBeUndefined();
  });
});
