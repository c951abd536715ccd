-- CreateTable
CREATE TABLE "notification_groups" (
    "incident_key" TEXT NOT NULL,
    "acknowledged_at" TIMESTAMPTZ(3),
    "acknowledged_by" TEXT NOT NULL DEFAULT '',
    "snoozed_until" TIMESTAMPTZ(3),
    "snoozed_by" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "notification_groups_pkey" PRIMARY KEY ("incident_key")
);

ALTER TABLE "notification_groups"
  ADD CONSTRAINT "notification_groups_acknowledged" CHECK (("acknowledged_at" IS NULL) = ("acknowledged_by" = '')),
  ADD CONSTRAINT "notification_groups_snoozed" CHECK (("snoozed_until" IS NULL) = ("snoozed_by" = ''));

-- The newest of each group.
CREATE INDEX "notification_events_newest_of_incident" ON "notification_events"("incident_key", "created_at" DESC, "id" DESC);

SELECT certctl_announce('notification_groups', 'notifications', 'incident_key');
