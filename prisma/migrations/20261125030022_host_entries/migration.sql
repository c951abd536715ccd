-- AlterTable
ALTER TABLE "agents" ADD COLUMN     "host_entries" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN     "host_problem" TEXT NOT NULL DEFAULT '';
