-- AlterTable
ALTER TABLE "issuers" ADD COLUMN     "canary_certificate_id" TEXT,
ADD COLUMN     "canary_every_days" INTEGER NOT NULL DEFAULT 7,
ADD COLUMN     "standby_after" INTEGER NOT NULL DEFAULT 2,
ADD COLUMN     "standby_issuer_id" TEXT;

-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "issuer_failures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "issuer_id" TEXT;

-- AddForeignKey
ALTER TABLE "issuers" ADD CONSTRAINT "issuers_standby_issuer_id_fkey" FOREIGN KEY ("standby_issuer_id") REFERENCES "issuers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "issuers" ADD CONSTRAINT "issuers_canary_certificate_id_fkey" FOREIGN KEY ("canary_certificate_id") REFERENCES "managed_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_issuer_id_fkey" FOREIGN KEY ("issuer_id") REFERENCES "issuers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

ALTER TABLE issuers ADD CONSTRAINT issuers_standby CHECK (
  standby_issuer_id <> id AND standby_after BETWEEN 1 AND 20 AND canary_every_days BETWEEN 1 AND 90
  AND (canary_certificate_id IS NULL OR standby_issuer_id IS NOT NULL));
