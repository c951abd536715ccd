-- AlterTable
ALTER TABLE "certificate_versions" ADD COLUMN     "ari_asked_at" TIMESTAMPTZ(3);

-- What the CA says of any of the versions that are renewed together counts: of each agent that is still to have one, the newest.
-- The first of the instants is when the certificate is renewed.
CREATE OR REPLACE FUNCTION refresh_current_versions(certificates TEXT[]) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  -- Whoever else changes what is current has committed, or waits.
  PERFORM 1 FROM managed_certificates WHERE id = ANY(certificates) ORDER BY id FOR NO KEY UPDATE;
  WITH newest AS (
    SELECT DISTINCT ON (v.certificate_id, v.agent_id) v.certificate_id, v.agent_id, v.id, v.revoked_at, v.not_after,
      v.ari_renew_at, v.ari_end
    FROM certificate_versions v WHERE v.certificate_id = ANY(certificates)
    ORDER BY v.certificate_id, v.agent_id, v.created_at DESC
  ), placed AS (
    SELECT newest.*, (newest.agent_id IS NOT DISTINCT FROM c.agent_id OR EXISTS (
      SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
      WHERE m.certificate_id = c.id AND t.agent_id = newest.agent_id
    )) AS is_needed
    FROM newest JOIN managed_certificates c ON c.id = newest.certificate_id
  ), current AS (
    SELECT DISTINCT ON (certificate_id) id FROM placed
    ORDER BY certificate_id, is_needed DESC, revoked_at IS NULL, not_after
  ), wanted AS (
    SELECT DISTINCT ON (certificate_id) certificate_id, ari_renew_at, ari_end FROM placed
    WHERE is_needed AND revoked_at IS NULL AND ari_renew_at IS NOT NULL
    ORDER BY certificate_id, ari_renew_at
  )
  INSERT INTO current_versions AS known
    (certificate_id, version_id, serial, fingerprint_sha256, not_before, not_after, renew_at, issuing_ca_sha256,
      revoked_at, revocation_reason, ari_renew_at, ari_end)
  SELECT v.certificate_id, v.id, v.serial, v.fingerprint_sha256, v.not_before, v.not_after, v.renew_at,
    coalesce(encode(sha256(nullif(decode(
      split_part(split_part(v.pem_chain, '-----BEGIN CERTIFICATE-----', 3), '-----END', 1), 'base64'), '')), 'hex'), ''),
    v.revoked_at, v.revocation_reason, wanted.ari_renew_at, wanted.ari_end
  FROM current JOIN certificate_versions v ON v.id = current.id
  LEFT JOIN wanted ON wanted.certificate_id = v.certificate_id
  ON CONFLICT (certificate_id) DO UPDATE SET version_id = excluded.version_id, serial = excluded.serial,
    fingerprint_sha256 = excluded.fingerprint_sha256, not_before = excluded.not_before, not_after = excluded.not_after,
    renew_at = excluded.renew_at, issuing_ca_sha256 = excluded.issuing_ca_sha256, revoked_at = excluded.revoked_at,
    revocation_reason = excluded.revocation_reason, ari_renew_at = excluded.ari_renew_at, ari_end = excluded.ari_end
  WHERE known.version_id <> excluded.version_id OR known.revoked_at IS DISTINCT FROM excluded.revoked_at
    OR known.ari_renew_at IS DISTINCT FROM excluded.ari_renew_at OR known.ari_end IS DISTINCT FROM excluded.ari_end;
END $$;
