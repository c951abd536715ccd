-- AlterTable
ALTER TABLE "agents" ADD COLUMN     "clock_skew_ms" INTEGER,
ADD COLUMN     "offline_at" TIMESTAMPTZ(3),
ADD COLUMN     "retired_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "jobs_agent_id_completed_at_idx" ON "jobs"("agent_id", "completed_at");
