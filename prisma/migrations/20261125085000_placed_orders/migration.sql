-- CreateTable
CREATE TABLE "placed_orders" (
    "id" TEXT NOT NULL,
    "issuer_id" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "domains" TEXT[],
    "name_set" TEXT NOT NULL,
    "is_replacement" BOOLEAN NOT NULL,
    "is_void" BOOLEAN NOT NULL DEFAULT false,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "placed_orders_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "placed_orders_issuer_id_placed_at_idx" ON "placed_orders"("issuer_id", "placed_at");

-- AddForeignKey
ALTER TABLE "placed_orders" ADD CONSTRAINT "placed_orders_issuer_id_fkey" FOREIGN KEY ("issuer_id") REFERENCES "issuers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
