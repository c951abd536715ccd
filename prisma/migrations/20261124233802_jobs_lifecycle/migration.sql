-- DropIndex
DROP INDEX "issuances_job_id_key";

-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "failure_class" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "is_early" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "key_id" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "served_fingerprint_sha256" TEXT;

-- Until now a key had the name of its job.
UPDATE "jobs" SET "key_id" = "id" WHERE "type" IN ('Issuance', 'Renewal');

-- AlterTable
ALTER TABLE "certificate_versions" ADD COLUMN     "key_id" TEXT;
UPDATE "certificate_versions" SET "key_id" = "job_id";
ALTER TABLE "certificate_versions" ALTER COLUMN "key_id" SET NOT NULL;

-- AlterTable
ALTER TABLE "issuances" ADD COLUMN     "key_id" TEXT;
UPDATE "issuances" SET "key_id" = "job_id";
ALTER TABLE "issuances" ALTER COLUMN "key_id" SET NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "certificate_versions_key_id_key" ON "certificate_versions"("key_id");

-- CreateIndex
CREATE UNIQUE INDEX "issuances_key_id_key" ON "issuances"("key_id");

-- CreateIndex
CREATE INDEX "issuances_job_id_idx" ON "issuances"("job_id");

-- CreateIndex
CREATE INDEX "jobs_created_at_id_idx" ON "jobs"("created_at", "id");

-- One validation at a time for a certificate and a target.
CREATE UNIQUE INDEX "jobs_one_open_validation" ON "jobs"("certificate_id", "target_id")
  WHERE "type" = 'Validation' AND "status" IN ('Pending', 'Running');
