-- AlterTable
ALTER TABLE "issuers" ADD COLUMN     "archived_at" TIMESTAMPTZ(3),
ADD COLUMN     "enabled" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- What Prisma cannot say.

CREATE UNIQUE INDEX "issuers_live_name" ON "issuers"("name") WHERE "archived_at" IS NULL;
