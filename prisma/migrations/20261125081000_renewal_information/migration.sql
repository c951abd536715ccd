-- AlterTable
ALTER TABLE "certificate_versions" ADD COLUMN     "ari_end" TIMESTAMPTZ(3),
ADD COLUMN     "ari_error" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "ari_explanation_url" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "ari_poll_at" TIMESTAMPTZ(3),
ADD COLUMN     "ari_renew_at" TIMESTAMPTZ(3),
ADD COLUMN     "ari_start" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "current_versions" ADD COLUMN     "ari_end" TIMESTAMPTZ(3),
ADD COLUMN     "ari_renew_at" TIMESTAMPTZ(3);

-- What Prisma cannot say.

ALTER TABLE certificate_versions ADD CONSTRAINT certificate_versions_ari CHECK (
  (ari_start IS NULL) = (ari_end IS NULL) AND (ari_start IS NULL) = (ari_renew_at IS NULL)
  AND (ari_start IS NULL OR ari_start < ari_end AND ari_renew_at BETWEEN ari_start AND ari_end));

-- As before, with when its CA wants the current version renewed.
CREATE OR REPLACE FUNCTION refresh_current_version(certificate TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  -- Whoever else changes what is current has committed, or waits.
  PERFORM 1 FROM managed_certificates WHERE id = certificate FOR NO KEY UPDATE;
  INSERT INTO current_versions AS known
    (certificate_id, version_id, serial, fingerprint_sha256, not_before, not_after, renew_at, issuing_ca_sha256,
      revoked_at, revocation_reason, ari_renew_at, ari_end)
  SELECT newest.certificate_id, newest.id, newest.serial, newest.fingerprint_sha256, newest.not_before, newest.not_after,
    newest.renew_at,
    coalesce(encode(sha256(nullif(decode(
      split_part(split_part(newest.pem_chain, '-----BEGIN CERTIFICATE-----', 3), '-----END', 1), 'base64'), '')), 'hex'), ''),
    newest.revoked_at, newest.revocation_reason, newest.ari_renew_at, newest.ari_end
  FROM (
    SELECT DISTINCT ON (v.agent_id) v.* FROM certificate_versions v WHERE v.certificate_id = certificate
    ORDER BY v.agent_id, v.created_at DESC
  ) newest
  JOIN managed_certificates c ON c.id = newest.certificate_id
  ORDER BY (newest.agent_id IS NOT DISTINCT FROM c.agent_id OR EXISTS (
    SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
    WHERE m.certificate_id = c.id AND t.agent_id = newest.agent_id
  )) DESC, newest.revoked_at IS NULL, newest.not_after
  LIMIT 1
  ON CONFLICT (certificate_id) DO UPDATE SET version_id = excluded.version_id, serial = excluded.serial,
    fingerprint_sha256 = excluded.fingerprint_sha256, not_before = excluded.not_before, not_after = excluded.not_after,
    renew_at = excluded.renew_at, issuing_ca_sha256 = excluded.issuing_ca_sha256, revoked_at = excluded.revoked_at,
    revocation_reason = excluded.revocation_reason, ari_renew_at = excluded.ari_renew_at, ari_end = excluded.ari_end
  WHERE known.version_id <> excluded.version_id OR known.revoked_at IS DISTINCT FROM excluded.revoked_at
    OR known.ari_renew_at IS DISTINCT FROM excluded.ari_renew_at OR known.ari_end IS DISTINCT FROM excluded.ari_end;
END $$;

CREATE TRIGGER current_version_renewal_information AFTER UPDATE OF ari_renew_at, ari_end ON certificate_versions
  FOR EACH ROW WHEN (OLD.ari_renew_at IS DISTINCT FROM NEW.ari_renew_at OR OLD.ari_end IS DISTINCT FROM NEW.ari_end)
  EXECUTE FUNCTION current_version_changes();
