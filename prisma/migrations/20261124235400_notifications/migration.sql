-- AlterTable
ALTER TABLE "teams" ADD COLUMN     "email" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "renewal_policy_channels" (
    "renewal_policy_id" TEXT NOT NULL,
    "notifier_id" TEXT NOT NULL,
    "thresholds_days" INTEGER[],
    "events" TEXT[],

    CONSTRAINT "renewal_policy_channels_pkey" PRIMARY KEY ("renewal_policy_id","notifier_id")
);

-- CreateTable
CREATE TABLE "notification_events" (
    "id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "effect" TEXT NOT NULL,
    "certificate_id" TEXT,
    "version_id" TEXT,
    "agent_id" TEXT,
    "threshold_days" INTEGER,
    "notifier_id" TEXT,
    "recipient" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "facts" JSONB NOT NULL,
    "thread_key" TEXT NOT NULL,
    "incident_key" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL,
    "lease_id" TEXT,
    "lease_expires_at" TIMESTAMPTZ(3),
    "last_error" TEXT NOT NULL DEFAULT '',
    "read_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "notification_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_deliveries" (
    "id" BIGSERIAL NOT NULL,
    "notification_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "attempt" INTEGER NOT NULL,
    "notifier_id" TEXT NOT NULL,
    "recipient" TEXT NOT NULL,
    "delivered" BOOLEAN NOT NULL,
    "words" TEXT NOT NULL,
    "duration_ms" INTEGER NOT NULL,

    CONSTRAINT "notification_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "renewal_policy_channels_notifier_id_idx" ON "renewal_policy_channels"("notifier_id");

-- CreateIndex
CREATE INDEX "notification_events_created_at_id_idx" ON "notification_events"("created_at", "id");

-- CreateIndex
CREATE INDEX "notification_events_certificate_id_idx" ON "notification_events"("certificate_id");

-- CreateIndex
CREATE INDEX "notification_events_agent_id_idx" ON "notification_events"("agent_id");

-- CreateIndex
CREATE INDEX "notification_events_thread_key_created_at_idx" ON "notification_events"("thread_key", "created_at");

-- CreateIndex
CREATE INDEX "notification_events_incident_key_notifier_id_created_at_idx" ON "notification_events"("incident_key", "notifier_id", "created_at");

-- CreateIndex
CREATE INDEX "notification_deliveries_notification_id_id_idx" ON "notification_deliveries"("notification_id", "id");

-- AddForeignKey
ALTER TABLE "renewal_policy_channels" ADD CONSTRAINT "renewal_policy_channels_renewal_policy_id_fkey" FOREIGN KEY ("renewal_policy_id") REFERENCES "renewal_policies"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "renewal_policy_channels" ADD CONSTRAINT "renewal_policy_channels_notifier_id_fkey" FOREIGN KEY ("notifier_id") REFERENCES "notifiers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_events" ADD CONSTRAINT "notification_events_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "managed_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_events" ADD CONSTRAINT "notification_events_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "certificate_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_events" ADD CONSTRAINT "notification_events_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_events" ADD CONSTRAINT "notification_events_notifier_id_fkey" FOREIGN KEY ("notifier_id") REFERENCES "notifiers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_deliveries" ADD CONSTRAINT "notification_deliveries_notification_id_fkey" FOREIGN KEY ("notification_id") REFERENCES "notification_events"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

-- One expiry alert for a version, a threshold and a channel; one if there is no channel.
CREATE UNIQUE INDEX "notification_events_one_alert"
  ON "notification_events"("version_id", "threshold_days", coalesce("notifier_id", '')) WHERE "threshold_days" IS NOT NULL;

-- What waits to be sent.
CREATE INDEX "notification_events_due" ON "notification_events"("next_attempt_at") WHERE "status" IN ('pending', 'failed');

CREATE INDEX "notification_events_unread" ON "notification_events"("created_at") WHERE "read_at" IS NULL;

ALTER TABLE "notification_events" ADD CONSTRAINT "notification_events_status"
  CHECK ("status" IN ('pending', 'sent', 'failed', 'dead'));
ALTER TABLE "notification_events" ADD CONSTRAINT "notification_events_channel"
  CHECK ("notifier_id" IS NOT NULL OR "status" = 'dead');
