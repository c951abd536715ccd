import type { Authority } from "#gen/certctl/v1/authorities_pb.ts";
import type { CertificateVersion } from "#gen/prisma/client.ts";
import { type AuthorityWish, createAuthority } from "../src/authorities/create.ts";
import { authorityMessage } from "../src/authorities/message.ts";
import { findAuthority } from "../src/authorities/view.ts";
import { issue } from "../src/certificates/issue.ts";
import { createIssuer } from "../src/issuers/manage.ts";
import {
  type ControlPlane,
  newAgent,
  newCertificate,
  newCsr,
  openControlPlane,
  openIssuance,
  operator,
  submitCsr,
  type TestAgent,
} from "./fixtures.ts";
import { openScratch, openssl, type Scratch } from "./openssl.ts";

/** A control plane of today, whose issuer iss-second has no CA yet. */
export interface AuthorityStage extends AsyncDisposable {
  plane: ControlPlane;
  agent: TestAgent;
  rootId: string;
  /** The CA that signs for iss-local. */
  firstCa: string;
  /** By itself an issuing CA for iss-second under the root of the first start. A second passes before. */
  create(changes?: Partial<AuthorityWish>): Promise<string>;
  /** Declares a certificate and has it issued. */
  issued(name: string, issuerId?: string): Promise<CertificateVersion>;
  /** A CA as the API shows it. */
  shown(id: string): Promise<Authority>;
}

export async function openAuthorityStage(): Promise<AuthorityStage> {
  const plane = await openControlPlane(undefined, {
    now: new Date().toISOString(),
    pkiUrl: "http://pki.example",
  });
  const agent = await newAgent(plane);
  const rootId = plane.authorities.byRole["issuing-root"].id;
  const issuer = { id: "iss-second", name: "Second", kind: "local-ca", config: {}, enabled: true };
  await createIssuer(plane, operator, issuer);
  const usual = { id: "", name: "Second CA", issuerId: "iss-second", parentId: rootId, keyAlgorithm: "" };
  return {
    plane,
    agent,
    rootId,
    firstCa: plane.authorities.byRole["issuing-ca"].id,
    async create(changes = {}) {
      plane.time.now = new Date(plane.time.now.getTime() + 1_000);
      const wanted = {
        ...usual,
        validityDays: 0,
        pathLength: undefined,
        names: null,
        isInToken: false,
        ...changes,
      };
      return createAuthority(plane, operator, wanted);
    },
    async issued(name, issuerId = "iss-second") {
      const wanted = { agentId: agent.id, issuerId, commonName: name };
      const job = await openIssuance(plane, agent, await newCertificate(plane, wanted));
      await submitCsr(plane, agent, job, newCsr([name]));
      await issue(plane, job.id, new AbortController().signal);
      return plane.db.certificateVersion.findUniqueOrThrow({ where: { jobId: job.id } });
    },
    async shown(id) {
      const view = await findAuthority(plane.db, id, plane.time.now);
      if (!view) throw new Error(`${id} is not there`);
      return authorityMessage(view, { now: plane.time.now, pkiUrl: plane.issuing.pkiUrl });
    },
    [Symbol.asyncDispose]: () => plane[Symbol.asyncDispose](),
  };
}

/** An enterprise's root, made with openssl, and what it signs. */
export async function openEnterprise(): Promise<Enterprise> {
  const scratch = await openScratch();
  const [key, root] = [scratch.path("root.key"), scratch.path("root.pem")];
  const request = ["-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", root, "-days", "900"];
  await openssl(
    "req",
    ...request,
    "-subj",
    "/O=Corp/CN=Corp Root",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
  );
  return {
    scratch,
    rootPem: () => openssl("x509", "-in", root),
    async sign(csrPem: string): Promise<string> {
      const [csr, out] = [await scratch.file("ca.csr", csrPem), scratch.path("ca.pem")];
      const signing = [
        "-CA",
        root,
        "-CAkey",
        key,
        "-CAcreateserial",
        "-days",
        "400",
        "-copy_extensions",
        "copy",
      ];
      await openssl("x509", "-req", "-in", csr, ...signing, "-out", out);
      return openssl("x509", "-in", out);
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

interface Enterprise extends AsyncDisposable {
  scratch: Scratch;
  rootPem(): Promise<string>;
  /** The CA's certificate, PEM. */
  sign(csrPem: string): Promise<string>;
}
