-- AlterTable
ALTER TABLE "certificate_versions" ADD COLUMN     "revocation_reason" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "revoked_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "current_versions" ADD COLUMN     "revocation_reason" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "revoked_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "revocation_reason" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "blocked_keys" (
    "spki_sha256" BYTEA NOT NULL,
    "version_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "blocked_keys_pkey" PRIMARY KEY ("spki_sha256")
);

-- CreateIndex
CREATE INDEX "blocked_keys_version_id_idx" ON "blocked_keys"("version_id");

-- AddForeignKey
ALTER TABLE "blocked_keys" ADD CONSTRAINT "blocked_keys_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "certificate_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

ALTER TABLE certificate_versions ADD CONSTRAINT certificate_versions_revocation
  CHECK ((revoked_at IS NULL) = (revocation_reason = ''));
ALTER TABLE jobs ADD CONSTRAINT jobs_revocation CHECK ((type = 'Revocation') = (revocation_reason <> ''));
CREATE UNIQUE INDEX jobs_open_revocation ON jobs (version_id)
  WHERE type = 'Revocation' AND status IN ('Pending', 'Running');

SELECT certctl_announce('blocked_keys', 'certificates', 'version_id');

-- As before, with what is known of the current version's revocation.
CREATE OR REPLACE FUNCTION refresh_current_version(certificate TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  -- Whoever else changes what is current has committed, or waits.
  PERFORM 1 FROM managed_certificates WHERE id = certificate FOR NO KEY UPDATE;
  INSERT INTO current_versions AS known
    (certificate_id, version_id, serial, fingerprint_sha256, not_before, not_after, renew_at, issuing_ca_sha256,
      revoked_at, revocation_reason)
  SELECT newest.certificate_id, newest.id, newest.serial, newest.fingerprint_sha256, newest.not_before, newest.not_after,
    newest.renew_at,
    coalesce(encode(sha256(nullif(decode(
      split_part(split_part(newest.pem_chain, '-----BEGIN CERTIFICATE-----', 3), '-----END', 1), 'base64'), '')), 'hex'), ''),
    newest.revoked_at, newest.revocation_reason
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
    revocation_reason = excluded.revocation_reason
  WHERE known.version_id <> excluded.version_id OR known.revoked_at IS DISTINCT FROM excluded.revoked_at;
END $$;

CREATE TRIGGER current_version_revoked AFTER UPDATE OF revoked_at ON certificate_versions
  FOR EACH ROW WHEN (OLD.revoked_at IS DISTINCT FROM NEW.revoked_at) EXECUTE FUNCTION current_version_changes();
