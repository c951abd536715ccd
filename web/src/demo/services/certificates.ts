import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type Certificate,
  CertificateScheduleSchema,
  CertificateService,
  CertificateStatus,
  CertificateStatusSchema,
  FacetValueSchema,
  KeyAlgorithmSchema,
  ListCertificateFacetsRequestSchema,
} from "#gen/certctl/v1/certificates_pb.ts";
import { JourneyCause } from "#gen/certctl/v1/journeys_pb.ts";
import { wordOfValue } from "../../status/words.ts";
import { say } from "../changes.ts";
import { contentOf } from "../content.ts";
import { crud, listOf } from "../crud.ts";
import { liveCertificates, refreshCertificate } from "../refresh.ts";
import { renew } from "../story.ts";
import type { World } from "../world.ts";

/** What needs a person first. */
const attention: readonly CertificateStatus[] = [
  CertificateStatus.EXPIRED,
  CertificateStatus.FAILED,
  CertificateStatus.EXPIRING,
  CertificateStatus.RENEWAL_IN_PROGRESS,
  CertificateStatus.PENDING,
  CertificateStatus.ACTIVE,
];

export function certificatesDemo(world: World): Partial<ServiceImpl<typeof CertificateService>> {
  const basic = crud(CertificateService, {
    noun: "Certificate",
    rows: world.certificates,
    refresh: (certificate) => refreshCertificate(world, certificate),
    onChange: (id) => say(world, "certificates", id),
  }) as Partial<ServiceImpl<typeof CertificateService>>;
  const one = (id: string): Certificate => {
    const found = world.certificates.get(id) as Certificate;
    refreshCertificate(world, found);
    return found;
  };
  return {
    ...basic,
    listCertificates(request) {
      liveCertificates(world);
      const byAttention = request.sort === "attention" || request.sort === "";
      const { data, ...rest } = listOf(
        [...world.certificates.values()],
        CertificateService.method.listCertificates.input,
        {
          ...request,
          sort: byAttention ? "name" : request.sort,
          ...(byAttention && { page: 1, perPage: 100_000 }),
        } as never,
      );
      if (!byAttention) return { data, ...rest };
      const sorted = data.sort((a, b) => attention.indexOf(a.status) - attention.indexOf(b.status));
      const [page, perPage] = [request.page || 1, request.perPage || 50];
      return { ...rest, page, perPage, data: sorted.slice((page - 1) * perPage, page * perPage) };
    },
    listCertificateFacets(request) {
      liveCertificates(world);
      const rows = listOf([...world.certificates.values()], ListCertificateFacetsRequestSchema, {
        ...request,
        perPage: 100_000,
      } as never).data;
      return {
        total: rows.length,
        status: counts(rows, ({ status }) => wordOfValue(CertificateStatusSchema, status)),
        schedule: counts(rows, ({ schedule }) => wordOfValue(CertificateScheduleSchema, schedule)),
        issuer: counts(
          rows,
          ({ issuerId }) => issuerId,
          ({ issuerName }) => issuerName,
        ),
        owner: counts(
          rows,
          ({ ownerId }) => ownerId,
          ({ ownerName }) => ownerName,
        ),
        team: counts(
          rows,
          ({ teamId }) => teamId,
          ({ teamName }) => teamName,
        ),
        environment: counts(rows, ({ environment }) => environment),
        keyAlgorithm: counts(rows, ({ keyAlgorithm }) => wordOfValue(KeyAlgorithmSchema, keyAlgorithm)),
        renewalPolicy: counts(
          rows,
          ({ renewalPolicyId }) => renewalPolicyId,
          ({ renewalPolicyName }) => renewalPolicyName,
        ),
      };
    },
    renewCertificate: ({ id }) => {
      const jobId = renew(world, one(id), JourneyCause.ASKED, "ak-demo");
      return { status: "accepted", jobId, jobIds: [jobId] };
    },
    deployCertificate: ({ id }) => {
      const jobId = renew(world, one(id), JourneyCause.ASKED, "ak-demo");
      return { status: "accepted", jobId, jobIds: [jobId] };
    },
    revokeCertificate: ({ id, versionId, reason }) => {
      const versions = (world.versions.get(id) ?? []).filter(
        (each) => versionId === "" || each.id === versionId,
      );
      for (const version of versions)
        Object.assign(version, { revokedAt: timestampNow(), revocationReason: reason });
      return { status: "accepted", jobId: "", jobIds: [] };
    },
    validateCertificate: () => ({ status: "accepted", jobId: "", jobIds: [] }),
    listCertificateVersions: ({ id }) => {
      const data = world.versions.get(id) ?? [];
      return { data, total: data.length, page: 1, perPage: 100 };
    },
    getCertificateVersion: ({ id, versionId }) => {
      const version = world.versions.get(id)?.find((each) => each.id === versionId);
      return version ? { version: { ...version, content: contentOf(one(id), version) } } : {};
    },
    listCertificateDeployments: ({ id }) => ({ data: world.deployments.get(id) ?? [] }),
    async *exportCertificates() {
      for (const certificate of liveCertificates(world)) yield { certificate };
    },
  };
}

function counts(rows: readonly Certificate[], readValue: (row: Certificate) => string, readName = readValue) {
  const found = new Map<string, { name: string; count: number }>();
  for (const row of rows) {
    const value = readValue(row);
    const before = found.get(value) ?? { name: readName(row), count: 0 };
    found.set(value, { ...before, count: before.count + 1 });
  }
  return [...found]
    .map(([value, rest]) => create(FacetValueSchema, { value, ...rest }))
    .sort((a, b) => b.count - a.count);
}
