import { useQuery } from "@connectrpc/connect-query";
import { CertificateService, type CertificateVersion } from "#gen/certctl/v1/certificates_pb.ts";

/** The version that is current; null where nothing was issued, undefined until it is known. */
export function useCurrentVersion(id: string): CertificateVersion | null | undefined {
  const versions = useQuery(CertificateService.method.listCertificateVersions, { id, perPage: 100 }).data
    ?.data;
  return versions && (versions.find(({ current }) => current) ?? versions[0] ?? null);
}
