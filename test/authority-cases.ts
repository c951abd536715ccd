import { createPrivateKey, type KeyObject } from "node:crypto";
import { authorityPem } from "../src/authorities/authority.ts";
import { sha256, spkiOf } from "../src/x509/keys.ts";
import type { Case, Stage } from "./operation-cases.ts";
import { certificatePem, makeLeaf, makeTrees } from "./trees.ts";

const passphrase = "a passphrase of many words";

/** An issuing CA with its root, and its key, PEM. */
function foreignCa(trees = makeTrees()): { chain: string; key: string } {
  const ca = trees["issuing-ca"];
  const key = (ca.key as KeyObject).export({ type: "pkcs8", format: "pem" }).toString();
  return { chain: authorityPem(ca) + authorityPem(trees["issuing-root"]), key };
}

/** A certificate that a CA of certctl's signed without certctl's knowing. */
export async function lostCertificate(name: string, { system }: Stage): Promise<{ certificate_pem: string }> {
  const trees = makeTrees();
  const { chain, key } = foreignCa(trees);
  const { body } = await system.rest("POST", "/api/v1/issuers", { name, kind: "local-ca", config: {} });
  const imported = { name, issuer_id: body.id, certificate_pem: chain, private_key_pem: key };
  await system.rest("POST", "/api/v1/authorities/import", imported);
  return { certificate_pem: certificatePem(makeLeaf(trees["issuing-ca"])) };
}

/** A root whose key was exported. */
async function exportedRoot({ system }: Stage): Promise<{ id: string; key: string }> {
  const { body: root } = await system.rest("POST", "/api/v1/authorities", { name: "exported" });
  const path = `/api/v1/authorities/${root.id}/export-key`;
  const { body } = await system.rest("POST", path, { passphrase });
  return { id: root.id, key: body.private_key_pem };
}

/** How the calls of authorities are made that are more than reading and creating. */
export const authorityCases: Record<string, (stage: Stage) => Case | Promise<Case>> = {
  revokeRecoveredCertificate: () => ({ body: { reason: "Superseded" } }),
  importAuthority: () => {
    const { chain, key } = foreignCa();
    const body = { name: "imported", issuer_id: "iss-local", certificate_pem: chain, private_key_pem: key };
    return { body };
  },
  // The root that is made for the case has its certificate.
  installAuthority: () => ({ body: { certificate_pem: foreignCa().chain }, status: 409 }),
  rotateAuthority: async ({ system }) => {
    const { body: root } = await system.rest("POST", "/api/v1/authorities", { name: "above" });
    const wanted = { name: "rotated", issuer_id: "iss-local", parent_id: root.id };
    const { body } = await system.rest("POST", "/api/v1/authorities", wanted);
    return { path: { id: body.id }, body: {} };
  },
  exportAuthorityKey: () => ({ body: { passphrase } }),
  takeAuthorityOffline: async (stage) => {
    const { id, key } = await exportedRoot(stage);
    const own = createPrivateKey({ key, passphrase });
    return { path: { id }, body: { key_sha256: sha256(spkiOf(own)).toString("hex") } };
  },
  restoreAuthorityKey: async (stage) => {
    const { id, key } = await exportedRoot(stage);
    const keySha256 = sha256(spkiOf(createPrivateKey({ key, passphrase }))).toString("hex");
    await stage.system.rest("POST", `/api/v1/authorities/${id}/take-offline`, { key_sha256: keySha256 });
    return { path: { id }, body: { private_key_pem: key, passphrase } };
  },
};
