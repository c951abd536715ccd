-- AlterTable
ALTER TABLE "agents" DROP COLUMN "instance_id";

-- AlterTable
ALTER TABLE "replicas" DROP COLUMN "started_at";
