-- AlterTable
ALTER TABLE "authorities" ADD COLUMN     "activated_at" TIMESTAMPTZ(3),
ADD COLUMN     "csr" BYTEA,
ADD COLUMN     "issuer_id" TEXT,
ADD COLUMN     "key_place" TEXT NOT NULL DEFAULT 'database',
ADD COLUMN     "name" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ALTER COLUMN "certificate" DROP NOT NULL,
ALTER COLUMN "sealed_key" DROP NOT NULL;

-- CreateTable
CREATE TABLE "authority_crls" (
    "authority_id" TEXT NOT NULL,
    "number" BIGINT NOT NULL,
    "this_update" TIMESTAMPTZ(3) NOT NULL,
    "next_update" TIMESTAMPTZ(3) NOT NULL,
    "entries" INTEGER NOT NULL,
    "der" BYTEA NOT NULL,

    CONSTRAINT "authority_crls_pkey" PRIMARY KEY ("authority_id")
);

-- CreateTable
CREATE TABLE "ocsp_responders" (
    "id" TEXT NOT NULL,
    "authority_id" TEXT NOT NULL,
    "certificate" BYTEA NOT NULL,
    "sealed_key" BYTEA NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ocsp_responders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ocsp_answers" (
    "authority_id" TEXT NOT NULL,
    "serial" TEXT NOT NULL,
    "cert_id" BYTEA NOT NULL,
    "der" BYTEA NOT NULL,
    "produced_at" TIMESTAMPTZ(3) NOT NULL,
    "next_update" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ocsp_answers_pkey" PRIMARY KEY ("authority_id","serial","cert_id")
);

-- CreateIndex
CREATE INDEX "ocsp_responders_authority_id_idx" ON "ocsp_responders"("authority_id");

-- CreateIndex
CREATE INDEX "ocsp_answers_next_update_idx" ON "ocsp_answers"("next_update");

-- CreateIndex
CREATE INDEX "authorities_issuer_id_idx" ON "authorities"("issuer_id");

-- CreateIndex
CREATE INDEX "authorities_parent_id_idx" ON "authorities"("parent_id");

-- AddForeignKey
ALTER TABLE "authorities" ADD CONSTRAINT "authorities_issuer_id_fkey" FOREIGN KEY ("issuer_id") REFERENCES "issuers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "authority_crls" ADD CONSTRAINT "authority_crls_authority_id_fkey" FOREIGN KEY ("authority_id") REFERENCES "authorities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ocsp_responders" ADD CONSTRAINT "ocsp_responders_authority_id_fkey" FOREIGN KEY ("authority_id") REFERENCES "authorities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ocsp_answers" ADD CONSTRAINT "ocsp_answers_authority_id_fkey" FOREIGN KEY ("authority_id") REFERENCES "authorities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

UPDATE authorities SET name = 'certctl ' || replace(role, '-', ' ');
UPDATE authorities SET issuer_id = 'iss-local', activated_at = created_at
  WHERE role = 'issuing-ca' AND EXISTS (SELECT 1 FROM issuers WHERE id = 'iss-local');

ALTER TABLE authorities
  ADD CONSTRAINT authorities_key_place CHECK (key_place IN ('database', 'pkcs11', 'offline', 'elsewhere')),
  ADD CONSTRAINT authorities_key CHECK ((key_place = 'database') = (sealed_key IS NOT NULL)),
  ADD CONSTRAINT authorities_certificate CHECK (certificate IS NOT NULL OR csr IS NOT NULL),
  ADD CONSTRAINT authorities_activated CHECK (activated_at IS NULL OR certificate IS NOT NULL AND issuer_id IS NOT NULL);

SELECT certctl_announce('authorities', 'authorities', 'id');
SELECT certctl_announce('authority_crls', 'authorities', 'authority_id');
