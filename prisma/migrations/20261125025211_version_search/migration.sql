-- CreateIndex
CREATE INDEX "certificate_versions_serial_idx" ON "certificate_versions"("serial");

-- CreateIndex
CREATE INDEX "certificate_versions_fingerprint_sha256_idx" ON "certificate_versions"("fingerprint_sha256");
