-- CreateTable
CREATE TABLE "current_versions" (
    "certificate_id" TEXT NOT NULL,
    "version_id" TEXT NOT NULL,
    "serial" TEXT NOT NULL,
    "fingerprint_sha256" TEXT NOT NULL,
    "not_before" TIMESTAMPTZ(3) NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "renew_at" TIMESTAMPTZ(3) NOT NULL,
    "issuing_ca_sha256" TEXT NOT NULL,

    CONSTRAINT "current_versions_pkey" PRIMARY KEY ("certificate_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "current_versions_version_id_key" ON "current_versions"("version_id");

-- CreateIndex
CREATE INDEX "current_versions_not_after_idx" ON "current_versions"("not_after");

-- AddForeignKey
ALTER TABLE "current_versions" ADD CONSTRAINT "current_versions_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "managed_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "current_versions" ADD CONSTRAINT "current_versions_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "certificate_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

-- Of each agent the newest version; of several, the one that ends first. A version of an agent that makes the certificate's
-- key no longer counts only while there is no other.
CREATE FUNCTION refresh_current_version(certificate TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  -- Whoever else changes what is current has committed, or waits.
  PERFORM 1 FROM managed_certificates WHERE id = certificate FOR NO KEY UPDATE;
  INSERT INTO current_versions AS known
    (certificate_id, version_id, serial, fingerprint_sha256, not_before, not_after, renew_at, issuing_ca_sha256)
  SELECT newest.certificate_id, newest.id, newest.serial, newest.fingerprint_sha256, newest.not_before, newest.not_after,
    newest.renew_at,
    coalesce(encode(sha256(nullif(decode(
      split_part(split_part(newest.pem_chain, '-----BEGIN CERTIFICATE-----', 3), '-----END', 1), 'base64'), '')), 'hex'), '')
  FROM (
    SELECT DISTINCT ON (v.agent_id) v.* FROM certificate_versions v WHERE v.certificate_id = certificate
    ORDER BY v.agent_id, v.created_at DESC
  ) newest
  JOIN managed_certificates c ON c.id = newest.certificate_id
  ORDER BY (newest.agent_id IS NOT DISTINCT FROM c.agent_id OR EXISTS (
    SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
    WHERE m.certificate_id = c.id AND t.agent_id = newest.agent_id
  )) DESC, newest.not_after
  LIMIT 1
  ON CONFLICT (certificate_id) DO UPDATE SET version_id = excluded.version_id, serial = excluded.serial,
    fingerprint_sha256 = excluded.fingerprint_sha256, not_before = excluded.not_before, not_after = excluded.not_after,
    renew_at = excluded.renew_at, issuing_ca_sha256 = excluded.issuing_ca_sha256
  WHERE known.version_id <> excluded.version_id;
END $$;

CREATE FUNCTION current_version_changes() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'managed_certificates' THEN
    PERFORM refresh_current_version(NEW.id);
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM refresh_current_version(OLD.certificate_id);
  ELSE
    PERFORM refresh_current_version(NEW.certificate_id);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER current_version AFTER INSERT ON certificate_versions
  FOR EACH ROW EXECUTE FUNCTION current_version_changes();
CREATE TRIGGER current_version AFTER INSERT OR DELETE ON certificate_target_mappings
  FOR EACH ROW EXECUTE FUNCTION current_version_changes();
CREATE TRIGGER current_version AFTER UPDATE OF agent_id ON managed_certificates
  FOR EACH ROW WHEN (OLD.agent_id IS DISTINCT FROM NEW.agent_id) EXECUTE FUNCTION current_version_changes();

SELECT refresh_current_version(id) FROM managed_certificates WHERE id IN (SELECT certificate_id FROM certificate_versions);
