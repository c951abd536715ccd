-- CreateTable
CREATE TABLE "recovered_certificates" (
    "id" TEXT NOT NULL,
    "authority_id" TEXT NOT NULL,
    "serial" TEXT NOT NULL,
    "certificate" BYTEA NOT NULL,
    "spki_sha256" BYTEA NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),
    "revocation_reason" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "recovered_certificates_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "recovered_certificates_spki_sha256_idx" ON "recovered_certificates"("spki_sha256");

-- CreateIndex
CREATE UNIQUE INDEX "recovered_certificates_authority_id_serial_key" ON "recovered_certificates"("authority_id", "serial");

-- AddForeignKey
ALTER TABLE "recovered_certificates" ADD CONSTRAINT "recovered_certificates_authority_id_fkey" FOREIGN KEY ("authority_id") REFERENCES "authorities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

ALTER TABLE recovered_certificates ADD CONSTRAINT recovered_certificates_revocation
  CHECK ((revoked_at IS NULL) = (revocation_reason = ''));

SELECT certctl_announce('recovered_certificates', 'authorities', 'authority_id');
