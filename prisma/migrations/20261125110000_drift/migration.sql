-- AlterTable
ALTER TABLE "certificate_target_mappings" ADD COLUMN     "drifted_at" TIMESTAMPTZ(3),
ADD COLUMN     "healed_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "renewal_policies" ADD COLUMN     "heal_drift" BOOLEAN NOT NULL DEFAULT false;
