-- CreateTable
CREATE TABLE "notifiers" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "config" JSONB NOT NULL,
    "enabled" BOOLEAN NOT NULL,
    "default_recipient" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "notifiers_pkey" PRIMARY KEY ("id")
);

-- Names are unique among what is live.
CREATE UNIQUE INDEX "notifiers_live_name" ON "notifiers"("name") WHERE "archived_at" IS NULL;
