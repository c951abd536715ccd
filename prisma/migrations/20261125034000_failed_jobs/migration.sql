-- What failed lately, among however many jobs.
CREATE INDEX "jobs_failed_completed_at" ON "jobs"("completed_at") WHERE "status" = 'Failed';
