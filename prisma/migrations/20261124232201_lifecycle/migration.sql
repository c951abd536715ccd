-- CreateTable
CREATE TABLE "teams" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "teams_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "owners" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "team_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "owners_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "renewal_policies" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "renewal_window_days" INTEGER NOT NULL,
    "auto_renew" BOOLEAN NOT NULL,
    "max_retries" INTEGER NOT NULL,
    "alert_thresholds_days" INTEGER[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "renewal_policies_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "scheduled_tasks" (
    "name" TEXT NOT NULL,
    "next_run_at" TIMESTAMPTZ(3) NOT NULL,
    "last_started_at" TIMESTAMPTZ(3),
    "last_duration_ms" INTEGER,
    "last_result" TEXT NOT NULL DEFAULT '',
    "last_error" TEXT NOT NULL DEFAULT '',
    "runs" INTEGER NOT NULL DEFAULT 0,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "replica_id" TEXT,
    "lease_expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "scheduled_tasks_pkey" PRIMARY KEY ("name")
);

-- The policy that every certificate without one of its own has; it exists from the first start.
INSERT INTO "renewal_policies" ("id", "name", "renewal_window_days", "auto_renew", "max_retries", "alert_thresholds_days")
VALUES ('rp-default', 'Default', 30, true, 4, '{30,14,7,0}');

-- AlterTable
ALTER TABLE "managed_certificates" ADD COLUMN     "environment" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "owner_id" TEXT,
ADD COLUMN     "renewal_policy_id" TEXT NOT NULL DEFAULT 'rp-default',
ADD COLUMN     "tags" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "team_id" TEXT;

-- CreateIndex
CREATE INDEX "owners_team_id_idx" ON "owners"("team_id");

-- CreateIndex
CREATE INDEX "managed_certificates_owner_id_idx" ON "managed_certificates"("owner_id");

-- CreateIndex
CREATE INDEX "managed_certificates_team_id_idx" ON "managed_certificates"("team_id");

-- CreateIndex
CREATE INDEX "managed_certificates_issuer_id_idx" ON "managed_certificates"("issuer_id");

-- CreateIndex
CREATE INDEX "managed_certificates_renewal_policy_id_idx" ON "managed_certificates"("renewal_policy_id");

-- CreateIndex
CREATE INDEX "managed_certificates_created_at_id_idx" ON "managed_certificates"("created_at", "id");

-- AddForeignKey
ALTER TABLE "owners" ADD CONSTRAINT "owners_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "managed_certificates" ADD CONSTRAINT "managed_certificates_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "owners"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "managed_certificates" ADD CONSTRAINT "managed_certificates_team_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "managed_certificates" ADD CONSTRAINT "managed_certificates_renewal_policy_id_fkey" FOREIGN KEY ("renewal_policy_id") REFERENCES "renewal_policies"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

CREATE UNIQUE INDEX "teams_live_name" ON "teams"("name") WHERE "archived_at" IS NULL;
CREATE UNIQUE INDEX "owners_live_name" ON "owners"("name") WHERE "archived_at" IS NULL;
CREATE UNIQUE INDEX "renewal_policies_live_name" ON "renewal_policies"("name") WHERE "archived_at" IS NULL;

ALTER TABLE "renewal_policies" ADD CONSTRAINT "renewal_policies_bounds"
  CHECK ("renewal_window_days" BETWEEN 1 AND 365 AND "max_retries" BETWEEN 0 AND 20);
