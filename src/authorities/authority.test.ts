import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openScratch, openssl, type Scratch } from "../../test/openssl.ts";
import { certificatePem, makeLeaf, makeTrees, trustDomain } from "../../test/trees.ts";
import { extendedKeyUsage } from "../x509/extensions.ts";
import {
  type Authority,
  authorityPem,
  intermediates,
  makeAuthority,
  type Role,
  rootOf,
} from "./authority.ts";
import { makeServerCertificate } from "./server-certificate.ts";

const { clientAuth, serverAuth } = extendedKeyUsage;
const trees = makeTrees();
const agentNames = { commonName: "ag-x", sans: [`spiffe://${trustDomain}/agent/ag-x`], usages: [clientAuth] };

let scratch: Scratch;
beforeAll(async () => {
  scratch = await openScratch();
});
afterAll(() => scratch[Symbol.asyncDispose]());

async function text(authority: Authority): Promise<string> {
  const path = await scratch.file(`${authority.id}.pem`, authorityPem(authority));
  return (await openssl("x509", "-noout", "-text", "-in", path)).replaceAll(/\s+/g, " ");
}

/** What openssl says of a leaf under a root, with the intermediates of its own CA. */
async function verify(
  leaf: Buffer,
  chain: Authority[],
  root: Authority,
  ...options: string[]
): Promise<string> {
  const paths = [
    await scratch.file("root.pem", authorityPem(root)),
    await scratch.file("chain.pem", chain.map(authorityPem).join("")),
    await scratch.file("leaf.pem", certificatePem(leaf)),
  ];
  const [rootPath = "", chainPath = "", leafPath = ""] = paths;
  const strict = ["-x509_strict", "-auth_level", "2", "-no-CApath", "-no-CAstore"];
  return openssl("verify", ...strict, ...options, "-CAfile", rootPath, "-untrusted", chainPath, leafPath);
}

describe("the system tree", () => {
  const root = trees["system-root"];
  const [agentCa, serverCa] = [trees["agent-ca"], trees["server-ca"]];

  test("vouches for an agent as a client, and as nothing else", async () => {
    const leaf = makeLeaf(agentCa, agentNames);
    expect(await verify(leaf, [agentCa], root, "-purpose", "sslclient")).toContain("OK");
    await expect(verify(leaf, [agentCa], root, "-purpose", "sslserver")).rejects.toThrow("purpose");
  });

  test("vouches for the control plane as a server, and as nothing else", async () => {
    const { cert } = makeServerCertificate(serverCa, ["localhost", "127.0.0.1", "::1"], new Date());
    const path = await scratch.file("server.pem", cert);
    const rootPath = await scratch.file("system-root.pem", authorityPem(root));
    for (const name of [
      ["-verify_hostname", "localhost"],
      ["-verify_ip", "::1"],
    ]) {
      const options = ["-x509_strict", "-auth_level", "2", "-CAfile", rootPath, "-untrusted", path, ...name];
      expect(await openssl("verify", "-purpose", "sslserver", ...options, path)).toContain("OK");
      await expect(openssl("verify", "-purpose", "sslclient", ...options, path)).rejects.toThrow("purpose");
    }
  });

  test.each([
    ["another trust domain", "spiffe://another.internal/agent/ag-x"],
    ["a host below the trust domain", `spiffe://evil.${trustDomain}/agent/ag-x`],
  ])("does not vouch for an agent of %s, even if the agent CA signs it", async (_what, uri) => {
    const leaf = makeLeaf(agentCa, { ...agentNames, sans: [uri] });
    const verdict = verify(leaf, [agentCa], root, "-purpose", "sslclient");
    await expect(verdict).rejects.toThrow("permitted subtree violation");
  });

  test("does not vouch for a customer's leaf with clientAuth", async () => {
    const issuingCa = trees["issuing-ca"];
    const leaf = makeLeaf(issuingCa, { ...agentNames, usages: [serverAuth, clientAuth] });
    const chain = [issuingCa, trees["issuing-root"]];
    await expect(verify(leaf, chain, root, "-purpose", "sslclient")).rejects.toThrow(
      "self-signed certificate",
    );
    await expect(verify(leaf, [issuingCa], root, "-partial_chain")).rejects.toThrow("unable to get");
  });
});

describe("the issuing tree", () => {
  const issuingCa = trees["issuing-ca"];

  test("vouches for a customer's server under its names", async () => {
    const leaf = makeLeaf(issuingCa, { sans: ["www.example", "*.shop.example"] });
    for (const name of ["www.example", "a.shop.example"]) {
      const options = ["-purpose", "sslserver", "-verify_hostname", name];
      expect(await verify(leaf, [issuingCa], trees["issuing-root"], ...options)).toContain("OK");
    }
    const other = ["-purpose", "sslserver", "-verify_hostname", "other.example"];
    await expect(verify(leaf, [issuingCa], trees["issuing-root"], ...other)).rejects.toThrow(
      "hostname mismatch",
    );
  });

  test("does not vouch for what a CA below its intermediate signs", async () => {
    // Under another name: a certificate that names itself as its issuer is not counted (RFC 5280, 6.1.4).
    const options = { id: "ca-below", role: "issuing-ca", trustDomain: "below.internal" } as const;
    const below = makeAuthority({ ...options, parent: issuingCa, now: new Date() });
    const verdict = verify(makeLeaf(below), [below, issuingCa], trees["issuing-root"]);
    await expect(verdict).rejects.toThrow("path length constraint exceeded");
  });
});

describe("an intermediate", () => {
  test.each(["agent-ca", "server-ca", "issuing-ca"] as const)(
    "%s signs leaves only, and says so critically",
    async (role) => {
      const shown = await text(trees[role]);
      expect(shown).toContain("X509v3 Basic Constraints: critical CA:TRUE, pathlen:0");
      expect(shown).toContain("X509v3 Key Usage: critical Certificate Sign, CRL Sign");
    },
  );

  test.each([
    [
      "agent-ca",
      "TLS Web Client Authentication X509v3 Name Constraints: critical Permitted: URI:certctl-test.internal",
    ],
    ["server-ca", "TLS Web Server Authentication X509v3 Subject"],
    ["issuing-ca", "TLS Web Server Authentication, TLS Web Client Authentication X509v3 Subject"],
  ] as const)("%s is for its purpose only", async (role, purpose) => {
    expect(await text(trees[role])).toContain(`X509v3 Extended Key Usage: ${purpose}`);
  });

  test("ends no later than its root", () => {
    const started = Date.parse(trees["issuing-root"].certificate.validFrom);
    const late = new Date(started + 3_000 * 86_400_000);
    const parent = trees["issuing-root"];
    const made = makeAuthority({ id: "ca-late", role: "issuing-ca", parent, trustDomain, now: late });
    expect(made.certificate.validTo).toBe(parent.certificate.validTo);
  });
});

describe("the trees", () => {
  test("share nothing", () => {
    const roots = new Set(Object.values(trees).map((authority) => rootOf(authority).role));
    expect(roots).toEqual(new Set(["system-root", "issuing-root"]));
    const keys = Object.values(trees).map(({ spki }) => spki.toString("hex"));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each([
    ["agent-ca", ["agent-ca"]],
    ["issuing-ca", ["issuing-ca"]],
    ["system-root", []],
  ] as [Role, Role[]][])("have the intermediates of %s up to, and without, the root", (role, chain) => {
    expect(intermediates(trees[role]).map((authority) => authority.role)).toEqual(chain);
  });
});
