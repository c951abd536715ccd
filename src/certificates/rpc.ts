import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Certificate,
  type CertificateService,
  type CreateCertificateRequest,
  DeploymentSchema,
  DownloadFormatSchema,
  type UpdateCertificateRequest,
} from "#gen/certctl/v1/certificates_pb.ts";
import type { Actor } from "../audit/record.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import { notFound } from "../platform/errors.ts";
import { pageOf } from "../platform/paging.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import type { KeyAlgorithm } from "../x509/keys.ts";
import {
  archiveCertificate,
  createCertificate,
  type Declaration,
  type DeclareDeps,
  restoreCertificate,
  updateCertificate,
} from "./declare.ts";
import { deployCertificate } from "./deploy.ts";
import { fileOf } from "./download.ts";
import { countFacets } from "./facets.ts";
import { filterOf, keyAlgorithmWords } from "./filter-message.ts";
import { certificateMessage } from "./message.ts";
import { renewCertificate } from "./renew.ts";
import { type RevokeDeps, revokeCertificate } from "./revoke.ts";
import { findVersion, listDeployments, listVersions } from "./store.ts";
import { validateCertificate } from "./validate.ts";
import { revocationReasons, versionContent, versionMessage } from "./version-message.ts";
import { allCertificateViews, findCertificate, listCertificates } from "./view.ts";

const downloadFormats = wordsOf(DownloadFormatSchema);

export function certificateService(
  deps: DeclareDeps &
    RevokeDeps & {
      /** For a certificate that says none. */
      defaultKeyAlgorithm: KeyAlgorithm;
    },
): ServiceImpl<typeof CertificateService> {
  const { defaultKeyAlgorithm } = deps;
  const { db, clock } = deps;

  async function read(id: string, { grants }: Actor): Promise<Certificate> {
    const view = await findCertificate(db, grants, id, clock());
    if (!view) throw notFound("certificate", id);
    return certificateMessage(view);
  }

  return {
    async listCertificates(request, context) {
      const filter = filterOf({ ...request, id: [] }, request.archived);
      const { grants } = callerOf(context);
      const { rows, ...page } = await listCertificates(db, grants, request, filter, clock());
      return { ...page, data: rows.map(certificateMessage) };
    },
    async listCertificateFacets(request, context) {
      const filter = filterOf({ ...request, id: [] }, request.archived);
      return countFacets(db, callerOf(context).grants, filter, clock());
    },
    async *exportCertificates(request, context) {
      const filter = filterOf({ ...request, id: [] }, request.archived);
      const { grants } = callerOf(context);
      for await (const view of allCertificateViews(db, grants, request.sort, filter, clock)) {
        if (context.signal.aborted) return;
        yield { certificate: certificateMessage(view) };
      }
    },
    async getCertificate({ id }, context) {
      return { certificate: await read(id, callerOf(context)) };
    },
    async createCertificate(request, context) {
      const id = await createCertificate(
        deps,
        callerOf(context),
        request.id,
        declaration(request, defaultKeyAlgorithm),
      );
      return { certificate: await read(id, callerOf(context)) };
    },
    async updateCertificate(request, context) {
      await updateCertificate(deps, callerOf(context), request.id, declaration(request, defaultKeyAlgorithm));
      return { certificate: await read(request.id, callerOf(context)) };
    },
    async deleteCertificate({ id }, context) {
      await archiveCertificate(deps, callerOf(context), id);
      return {};
    },
    async restoreCertificate({ id }, context) {
      await restoreCertificate(deps, callerOf(context), id);
      return { certificate: await read(id, callerOf(context)) };
    },
    async renewCertificate({ id }, context) {
      return accepted(await renewCertificate(deps, callerOf(context), id));
    },
    async deployCertificate(request, context) {
      return accepted(await deployCertificate(deps, callerOf(context), request));
    },
    async revokeCertificate({ reason, ...request }, context) {
      const wanted = { ...request, reason: revocationReasons.text(reason) as RevocationReason };
      return accepted(await revokeCertificate(deps, callerOf(context), wanted));
    },
    async validateCertificate(request, context) {
      return accepted(await validateCertificate(deps, callerOf(context), request));
    },
    async listCertificateVersions(request, context) {
      await read(request.id, callerOf(context));
      const { page, perPage, skip, take } = pageOf(request);
      const { total, rows } = await listVersions(db, request.id, skip, take);
      return { data: rows.map(versionMessage), total, page, perPage };
    },
    async getCertificateVersion({ id, versionId }, context) {
      await read(id, callerOf(context));
      const row = await findVersion(db, id, versionId);
      if (!row) throw notFound("version", versionId);
      return { version: { ...versionMessage(row), content: versionContent(row) } };
    },
    async downloadCertificateVersion({ id, versionId, format }, context) {
      const { name } = await read(id, callerOf(context));
      const row = await findVersion(db, id, versionId);
      if (!row) throw notFound("version", versionId);
      const { content, ...file } = fileOf(row, name, downloadFormats.text(format) || "fullchain-pem");
      return { ...file, contentBase64: content.toString("base64") };
    },
    async listCertificateDeployments({ id }, context) {
      await read(id, callerOf(context));
      const rows = await listDeployments(db, id);
      const data = rows.map((row) =>
        create(DeploymentSchema, {
          targetId: row.targetId,
          agentId: row.agentId,
          versionId: row.versionId ?? "",
          fingerprintSha256: row.fingerprint ?? "",
          servedFingerprintSha256: row.servedFingerprint ?? "",
          ...timestamps({
            servedAt: row.servedAt,
            provenAt: row.provenAt,
            driftedAt: row.driftedAt,
            healedAt: row.healedAt,
          }),
          jobId: row.jobId ?? "",
          targetName: row.targetName,
          versionNumber: row.versionNumber ?? 0,
          expectedVersionId: row.expectedVersionId ?? "",
          expectedVersionNumber: row.expectedVersionNumber ?? 0,
          expectedFingerprintSha256: row.expectedFingerprint ?? "",
          proven: row.proven,
        }),
      );
      return { data };
    },
  };
}

function declaration(
  request: CreateCertificateRequest | UpdateCertificateRequest,
  defaultKeyAlgorithm: string,
): Declaration {
  return { ...request, keyAlgorithm: keyAlgorithmWords.text(request.keyAlgorithm) || defaultKeyAlgorithm };
}

function accepted(jobIds: string[]) {
  return { status: "accepted", jobId: jobIds[0] ?? "", jobIds };
}
