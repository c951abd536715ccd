-- AlterTable
ALTER TABLE "installation" ADD COLUMN     "keygen_mode" TEXT NOT NULL DEFAULT 'agent';

-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "keygen" TEXT NOT NULL DEFAULT 'agent';

-- CreateTable
CREATE TABLE "server_keys" (
    "id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "sealed_key" BYTEA NOT NULL,
    "lease_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "server_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "server_keys_job_id_idx" ON "server_keys"("job_id");

-- AddForeignKey
ALTER TABLE "server_keys" ADD CONSTRAINT "server_keys_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
