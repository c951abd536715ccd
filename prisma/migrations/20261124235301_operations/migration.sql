-- CreateTable
CREATE TABLE "operations" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "filter" JSONB NOT NULL,
    "changes" JSONB NOT NULL,
    "reason" TEXT NOT NULL DEFAULT '',
    "created_by" TEXT NOT NULL,
    "created_type" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "approved_by" TEXT,
    "approved_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "operations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operation_items" (
    "operation_id" TEXT NOT NULL,
    "certificate_id" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'Pending',
    "message" TEXT NOT NULL DEFAULT '',
    "job_ids" TEXT[],

    CONSTRAINT "operation_items_pkey" PRIMARY KEY ("operation_id","certificate_id")
);

-- CreateIndex
CREATE INDEX "operations_created_at_id_idx" ON "operations"("created_at", "id");

-- AddForeignKey
ALTER TABLE "operation_items" ADD CONSTRAINT "operation_items_operation_id_fkey" FOREIGN KEY ("operation_id") REFERENCES "operations"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "operation_items" ADD CONSTRAINT "operation_items_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "managed_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

-- What an operation still has to do.
CREATE INDEX "operation_items_pending" ON "operation_items"("operation_id", "certificate_id") WHERE "status" = 'Pending';

-- Renewals that wait for a person's yes wait together.
CREATE UNIQUE INDEX "operations_one_held" ON "operations"("kind")
  WHERE "kind" = 'EarlyRenewals' AND "status" = 'AwaitingApproval';

-- How many early renewals were started lately.
CREATE INDEX "jobs_early" ON "jobs"("created_at") WHERE "is_early";
