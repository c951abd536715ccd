-- DropIndex
DROP INDEX "certificate_versions_authority_id_serial_key";

-- AlterTable
ALTER TABLE "certificate_versions" ADD COLUMN     "issuer_spki_sha256" BYTEA,
ALTER COLUMN "authority_id" DROP NOT NULL;

UPDATE certificate_versions v SET issuer_spki_sha256 = a.spki_sha256 FROM authorities a WHERE a.id = v.authority_id;

ALTER TABLE "certificate_versions" ALTER COLUMN "issuer_spki_sha256" SET NOT NULL;

-- CreateTable
CREATE TABLE "issuer_orders" (
    "id" TEXT NOT NULL,
    "issuer_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "state" JSONB NOT NULL,
    "reference" TEXT NOT NULL DEFAULT '',
    "message" TEXT NOT NULL DEFAULT '',
    "poll_at" TIMESTAMPTZ(3),
    "lease_id" TEXT,
    "lease_expires_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "issuer_orders_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "issuer_orders_job_id_idx" ON "issuer_orders"("job_id");

-- CreateIndex
CREATE INDEX "issuer_orders_issuer_id_created_at_id_idx" ON "issuer_orders"("issuer_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "issuer_orders_issuer_id_key_id_key" ON "issuer_orders"("issuer_id", "key_id");

-- CreateIndex
CREATE INDEX "certificate_versions_authority_id_idx" ON "certificate_versions"("authority_id");

-- CreateIndex
CREATE UNIQUE INDEX "certificate_versions_issuer_spki_sha256_serial_key" ON "certificate_versions"("issuer_spki_sha256", "serial");

-- AddForeignKey
ALTER TABLE "issuer_orders" ADD CONSTRAINT "issuer_orders_issuer_id_fkey" FOREIGN KEY ("issuer_id") REFERENCES "issuers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "issuer_orders" ADD CONSTRAINT "issuer_orders_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

ALTER TABLE issuer_orders ADD CONSTRAINT issuer_orders_lease_check CHECK ((lease_id IS NULL) = (lease_expires_at IS NULL));

SELECT certctl_announce('issuer_orders', 'issuers', 'issuer_id', '{lease_id,lease_expires_at}');
