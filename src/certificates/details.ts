import { Prisma } from "#gen/prisma/client.ts";
import { expectedVersions } from "./expected.ts";

/** What is shown of a certificate and not searched for. */
export interface CertificateDetails {
  targetIds: string[];
  deploymentsTotal: number;
  deploymentsProven: number;
  deploymentsDrifted: number;
  issuerName: string;
  ownerName: string | null;
  teamName: string | null;
  renewalPolicyName: string;
}

/** The details of each row of `page`. */
export const certificateDetails = Prisma.sql`
  SELECT places.*, issuer.name AS "issuerName", owner.name AS "ownerName", team.name AS "teamName",
    policy.name AS "renewalPolicyName"
  FROM (
    SELECT coalesce(array_agg(expected.target_id ORDER BY expected.target_id), '{}') AS "targetIds",
      count(*)::int AS "deploymentsTotal",
      count(*) FILTER (WHERE proven.id = expected.version_id
        AND expected.served_fingerprint = proven.fingerprint_sha256)::int AS "deploymentsProven",
      count(*) FILTER (WHERE expected.served_at IS NOT NULL
        AND expected.served_fingerprint IS DISTINCT FROM proven.fingerprint_sha256
        AND proven.id IS NOT NULL)::int AS "deploymentsDrifted"
    FROM (${expectedVersions(Prisma.sql`page.id`)}) expected
    LEFT JOIN certificate_versions proven ON proven.id = expected.proven_version_id
  ) places
  JOIN issuers issuer ON issuer.id = page."issuerId"
  JOIN renewal_policies policy ON policy.id = page."renewalPolicyId"
  LEFT JOIN owners owner ON owner.id = page."ownerId"
  LEFT JOIN teams team ON team.id = page."teamId"`;
