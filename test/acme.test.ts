import { execFile } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromPem } from "../src/x509/pem.ts";
import { type AcmeStage, openAcmeStage } from "./acme-stage.ts";
import { dns01, type NameServer, startNameServer } from "./name-server.ts";
import { openScratch, openssl } from "./openssl.ts";
import { type Pebble, type PebbleOptions, startPebble } from "./pebble.ts";
import { serveFiles } from "./serve-files.ts";

/** A real CA, a real agent, a real nginx: every certificate is proven by the agent's handshakes. */

const execute = promisify(execFile);

let parts: AsyncDisposableStack;
let stage: AcmeStage;
let names: NameServer;
beforeAll(async () => {
  parts = new AsyncDisposableStack();
  stage = parts.use(await openAcmeStage());
  names = parts.use(await startNameServer("zone.test"));
});
afterAll(() => parts.disposeAsync());

/** Where a CA looks for what is published by whom. */
const ports = {
  server: () => ({ httpPort: stage.pkiPort }),
  agent: () => ({ httpPort: stage.agentHttpPort, tlsPort: stage.agentTlsPort }),
};

async function withPebble<T>(options: PebbleOptions, use: (pebble: Pebble) => Promise<T>): Promise<T> {
  await using pebble = await startPebble(options);
  return await use(pebble);
}

/** Renews, and has it proven on nginx; the version. */
async function proven(certificateId: string) {
  const job = await stage.system.renew(certificateId);
  expect(job, JSON.stringify(job, null, 1)).toMatchObject({ outcome: "Proven", attempts: 1 });
  const { body } = await stage.system.rest("GET", `/api/v1/certificates/${certificateId}/versions`);
  return { job, version: body.data[0] };
}

/** Renews, and waits for the end of the first attempt; the job. */
async function failed(certificateId: string) {
  const { body } = await stage.system.rest("POST", `/api/v1/certificates/${certificateId}/renew`, {});
  return stage.system.job(body.job_id, ({ error }) => error !== null);
}

async function revoked(certificateId: string, versionId: string): Promise<void> {
  const path = `/api/v1/certificates/${certificateId}/revoke`;
  const { status, body } = await stage.system.rest("POST", path, {
    version_id: versionId,
    reason: "KeyCompromise",
  });
  expect(status, JSON.stringify(body)).toBe(202);
  await stage.system.job(body.job_id ?? body.job_ids[0], (job) => job.status === "Completed");
}

const steps = async (jobId: string) => {
  const { body } = await stage.system.rest("GET", `/api/v1/jobs/${jobId}`);
  return body.timeline.map(({ step }: { step: string }) => step) as string[];
};

/** openssl and GnuTLS build the chain to the CA's root as well. */
async function verified(version: { pem_chain: string }, root: string, name: string): Promise<void> {
  await using scratch = await openScratch();
  const chain = await scratch.file("chain.pem", version.pem_chain);
  const ca = await scratch.file("root.pem", root);
  const strict = ["-x509_strict", "-auth_level", "2", "-purpose", "sslserver", "-verify_hostname", name];
  await openssl("verify", ...strict, "-CAfile", ca, "-untrusted", chain, chain);
  await execute("certtool", [
    "--verify",
    "--load-ca-certificate",
    ca,
    "--infile",
    chain,
    "--verify-hostname",
    name,
  ]);
}

const namesOf = (version: { pem_chain: string }) =>
  fromPem("CERTIFICATE", version.pem_chain).map((der) => new X509Certificate(der));

describe.each(["2.4", "2.6"] as const)("Pebble %s", (version) => {
  test("signs for names that this control plane answers for, and revokes", async () => {
    await withPebble({ version, ...ports.server() }, async (pebble) => {
      const id = await stage.certificate(await stage.issuer(pebble), ["shop.test", "www.shop.test"]);
      const { job, version: made } = await proven(id);
      expect(made.sans).toEqual(["shop.test", "www.shop.test"]);
      await verified(made, pebble.roots[0] ?? "", "www.shop.test");
      const taken = await steps(job.id);
      expect(taken.filter((step) => ["ordered", "challenge", "validated", "issued"].includes(step))).toEqual([
        "ordered",
        "challenge",
        "challenge",
        "validated",
        "issued",
      ]);
      expect(await pebble.statusOf(made.serial_number)).toBe("Valid");
      await revoked(id, made.id);
      expect(await pebble.statusOf(made.serial_number)).toBe("Revoked");
    });
  });

  test("is answered by the agent: through a web server's directory, and on a port of its own", async () => {
    await withPebble({ version, ...ports.agent() }, async (pebble) => {
      const issuer = await stage.issuer(pebble, { solver: "agent" });
      const { version: made } = await proven(await stage.certificate(issuer, ["direct.test"]));
      await verified(made, pebble.roots[0] ?? "", "direct.test");
    });
    await using web = await serveFiles(stage.webroot);
    await withPebble({ version, httpPort: web.port }, async (pebble) => {
      const issuer = await stage.issuer(pebble, { solver: "agent" });
      await proven(await stage.certificate(issuer, ["a.webroot.test"]));
      // It looks from several places at once.
      const [path = "", ...more] = new Set(web.asked);
      expect(more).toEqual([]);
      expect(path).toMatch(/^\/\.well-known\/acme-challenge\/[A-Za-z0-9_-]+$/);
      expect(readdirSync(join(stage.webroot, ".well-known/acme-challenge"))).toEqual([]);
    });
  });

  test("is answered by the agent in a handshake", async () => {
    await withPebble({ version, ...ports.agent() }, async (pebble) => {
      const issuer = await stage.issuer(pebble, { challenge: "tls-alpn-01", solver: "agent" });
      const { version: made } = await proven(await stage.certificate(issuer, ["one.test", "two.test"]));
      await verified(made, pebble.roots[0] ?? "", "two.test");
    });
  });

  test("is answered by a name server, for wildcards too, and finds nothing left there", async () => {
    await withPebble({ version, dnsPort: names.port }, async (pebble) => {
      const issuer = await stage.issuer(pebble, dns01(names));
      const wanted = [`*.${names.zone}`, names.zone, `*.deep.${names.zone}`];
      const { version: made } = await proven(await stage.certificate(issuer, wanted));
      await verified(made, pebble.roots[0] ?? "", `any.${names.zone}`);
    });
    for (const name of [names.zone, `deep.${names.zone}`])
      expect(await names.texts(`_acme-challenge.${name}`)).toEqual([]);
  });

  test("knows the account by its external binding", async () => {
    const key = randomBytes(32);
    const eab = { "kid-1": key.toString("base64url") };
    await withPebble({ version, ...ports.server(), eab }, async (pebble) => {
      const test = (config: object) =>
        stage.system.rest("POST", "/api/v1/issuer-kinds/acme/test", {
          config: { directory_url: pebble.directoryUrl, ca: pebble.ca, ...config },
        });
      const agreed = { terms_of_service_agreed: true };
      expect((await test({})).body).toMatchObject({ ok: false, message: expect.stringContaining("terms") });
      expect((await test(agreed)).body).toMatchObject({
        ok: false,
        message: expect.stringContaining("eab_key_id"),
      });
      const bound = { ...agreed, eab_key_id: "kid-1", eab_hmac_key: eab["kid-1"] };
      expect((await test(bound)).body).toMatchObject({ ok: true });
      const unbound = await stage.certificate(await stage.issuer(pebble, { eab_key_id: "" }), [
        "unbound.test",
      ]);
      expect(await failed(unbound)).toMatchObject({
        status: "Failed",
        error: {
          failure_class: "Configuration",
          step: "account",
          message: expect.stringContaining("externalAccount"),
        },
      });
      await proven(await stage.certificate(await stage.issuer(pebble, bound), ["bound.test"]));
    });
  });

  test("may refuse every second nonce and take its time to look", async () => {
    const env = { PEBBLE_WFE_NONCEREJECT: "50", PEBBLE_VA_NOSLEEP: "0", PEBBLE_VA_SLEEPTIME: "3" };
    await withPebble({ version, ...ports.server(), env }, async (pebble) => {
      await proven(await stage.certificate(await stage.issuer(pebble), ["slow.test", "slower.test"]));
    });
  });

  test("offers other chains, of which the preferred one is served", async () => {
    const env = { PEBBLE_ALTERNATE_ROOTS: "2", PEBBLE_CHAIN_LENGTH: "2" };
    await withPebble({ version, ...ports.server(), env }, async (pebble) => {
      for (const root of pebble.roots) {
        const { subject } = new X509Certificate(root);
        const preferred = /CN=(.*)/.exec(subject)?.[1] ?? "";
        const issuer = await stage.issuer(pebble, { preferred_chain: preferred });
        const { version: made } = await proven(await stage.certificate(issuer, ["chain.test"]));
        expect(namesOf(made).at(-1)?.issuer).toBe(subject);
        await verified(made, root, "chain.test");
      }
    });
  });
});

test("a name that the CA does not find is refused in its words, and its order is kept", async () => {
  await withPebble({ version: "2.6" }, async (pebble) => {
    const job = await failed(await stage.certificate(await stage.issuer(pebble), ["nowhere.test"]));
    expect(job).toMatchObject({
      status: "Pending",
      error: {
        failure_class: "Refused",
        step: "challenge",
        message: expect.stringMatching(/^http-01 for nowhere\.test: connection: /),
      },
    });
  });
});

test("what is not deployable is refused when it is declared", async () => {
  await withPebble({}, async (pebble) => {
    const issuer = await stage.issuer(pebble);
    for (const [san, words] of [
      ["*.shop.test", "needs dns-01"],
      ["ops@shop.test", "neither a DNS name nor an IP address"],
      ["spiffe://shop.test/x", "neither a DNS name nor an IP address"],
    ]) {
      const wanted = { name: san, common_name: "shop.test", sans: [san], issuer_id: issuer };
      const { status, body } = await stage.system.rest("POST", "/api/v1/certificates", wanted);
      expect({ status, details: body.details }).toMatchObject({
        status: 400,
        details: [{ field: "sans", description: expect.stringContaining(words ?? "") }],
      });
    }
  });
});
