-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN     "expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "issuer_ids" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "last_used_at" TIMESTAMPTZ(3),
ADD COLUMN     "name" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "old_secret_ends_at" TIMESTAMPTZ(3),
ADD COLUMN     "old_secret_hash" BYTEA,
ADD COLUMN     "revoked_at" TIMESTAMPTZ(3),
ADD COLUMN     "rotated_at" TIMESTAMPTZ(3),
ADD COLUMN     "team_ids" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- What Prisma cannot say.

UPDATE "api_keys" SET "name" = CASE "role" WHEN 'agent' THEN 'agent ' || "agent_id" ELSE 'first admin key' END;

ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_role" CHECK ("role" IN ('admin', 'operator', 'viewer', 'auditor', 'agent'));
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_agent" CHECK (("role" = 'agent') = ("agent_id" IS NOT NULL));
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_old_secret" CHECK (("old_secret_hash" IS NULL) = ("old_secret_ends_at" IS NULL));
