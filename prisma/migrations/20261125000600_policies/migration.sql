-- CreateTable
CREATE TABLE "policy_rules" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "config" JSONB NOT NULL,
    "severity" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "policy_rules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policy_violations" (
    "id" TEXT NOT NULL,
    "rule_id" TEXT NOT NULL,
    "certificate_id" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "policy_violations_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "policy_violations_certificate_id_idx" ON "policy_violations"("certificate_id");

-- CreateIndex
CREATE INDEX "policy_violations_opened_at_id_idx" ON "policy_violations"("opened_at", "id");

-- AddForeignKey
ALTER TABLE "policy_violations" ADD CONSTRAINT "policy_violations_rule_id_fkey" FOREIGN KEY ("rule_id") REFERENCES "policy_rules"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "policy_violations" ADD CONSTRAINT "policy_violations_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "managed_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

-- A violation opens once.
CREATE UNIQUE INDEX "policy_violations_open" ON "policy_violations"("rule_id", "certificate_id") WHERE "closed_at" IS NULL;

-- Names are unique among what is live.
CREATE UNIQUE INDEX "policy_rules_live_name" ON "policy_rules"("name") WHERE "archived_at" IS NULL;

ALTER TABLE "policy_rules" ADD CONSTRAINT "policy_rules_mode" CHECK ("mode" IN ('audit', 'enforce'));
ALTER TABLE "policy_rules" ADD CONSTRAINT "policy_rules_severity" CHECK ("severity" IN ('Warning', 'Error', 'Critical'));
