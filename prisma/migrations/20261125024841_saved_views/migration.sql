-- CreateTable
CREATE TABLE "saved_views" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "resource" TEXT NOT NULL,
    "query" TEXT NOT NULL,
    "filter" JSONB,
    "owner_key_id" TEXT NOT NULL,
    "shared" BOOLEAN NOT NULL,
    "pinned" BOOLEAN NOT NULL,
    "is_default" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "saved_views_pkey" PRIMARY KEY ("id")
);

-- What Prisma cannot say.

-- Shared views have names of their own, and so have each key's.
CREATE UNIQUE INDEX "saved_views_live_name" ON "saved_views"
  (("shared"), (CASE WHEN "shared" THEN '' ELSE "owner_key_id" END), "resource", "name") WHERE "archived_at" IS NULL;

ALTER TABLE "saved_views" ADD CONSTRAINT "saved_views_filter" CHECK (("filter" IS NOT NULL) = ("resource" = 'certificates'));

SELECT certctl_announce('saved_views', 'saved-views', 'id');
