-- AlterTable
ALTER TABLE "audit_events" ADD COLUMN     "epoch" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "position" BIGSERIAL NOT NULL,
ADD COLUMN     "xid" BIGINT NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "installation" ADD COLUMN     "db_epoch" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN     "system_identifier" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "audit_seals" (
    "seq" BIGINT NOT NULL,
    "event_id" TEXT NOT NULL,
    "hash" BYTEA NOT NULL,

    CONSTRAINT "audit_seals_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "audit_checkpoints" (
    "seq" BIGINT NOT NULL,
    "count" INTEGER NOT NULL,
    "root" BYTEA NOT NULL,
    "prev_hash" BYTEA NOT NULL,
    "hash" BYTEA NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "key_id" TEXT NOT NULL,
    "signature" BYTEA NOT NULL,

    CONSTRAINT "audit_checkpoints_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "audit_keys" (
    "id" TEXT NOT NULL,
    "public_key" BYTEA NOT NULL,
    "sealed_key" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_keys_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "audit_seals_event_id_key" ON "audit_seals"("event_id");

-- CreateIndex
CREATE UNIQUE INDEX "audit_checkpoints_prev_hash_key" ON "audit_checkpoints"("prev_hash");

-- CreateIndex
CREATE UNIQUE INDEX "audit_checkpoints_hash_key" ON "audit_checkpoints"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "audit_events_position_key" ON "audit_events"("position");

-- CreateIndex
CREATE INDEX "audit_events_actor_at_idx" ON "audit_events"("actor", "at");

-- CreateIndex
CREATE INDEX "audit_events_at_id_idx" ON "audit_events"("at", "id");

-- CreateIndex
CREATE INDEX "audit_events_epoch_xid_position_idx" ON "audit_events"("epoch", "xid", "position");

-- AddForeignKey
ALTER TABLE "audit_seals" ADD CONSTRAINT "audit_seals_event_id_fkey" FOREIGN KEY ("event_id") REFERENCES "audit_events"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "audit_checkpoints" ADD CONSTRAINT "audit_checkpoints_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "audit_keys"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

-- Where a row stands in the order of sealing is said by the database, not by who writes. pg_current_xact_id() is the
-- transaction's number whatever savepoint it is in; it is assigned in order, and given back by no rollback.
CREATE FUNCTION "audit_events_place"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."xid" := pg_current_xact_id()::text::bigint;
  NEW."position" := nextval('audit_events_position_seq');
  NEW."epoch" := coalesce((SELECT "db_epoch" FROM "installation" WHERE "id" = 1), 0);
  RETURN NEW;
END $$;

CREATE TRIGGER "audit_events_place" BEFORE INSERT ON "audit_events"
  FOR EACH ROW EXECUTE FUNCTION "audit_events_place"();

-- Written once. ALWAYS: session_replication_role = replica does not switch these off.
CREATE FUNCTION "audit_refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is refused: the audit is written once', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER "audit_events_refuse_change" BEFORE UPDATE OR DELETE ON "audit_events"
  FOR EACH ROW EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_events_refuse_truncate" BEFORE TRUNCATE ON "audit_events"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_seals_refuse_change" BEFORE UPDATE OR DELETE ON "audit_seals"
  FOR EACH ROW EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_seals_refuse_truncate" BEFORE TRUNCATE ON "audit_seals"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_checkpoints_refuse_change" BEFORE UPDATE OR DELETE ON "audit_checkpoints"
  FOR EACH ROW EXECUTE FUNCTION "audit_refuse_change"();
CREATE TRIGGER "audit_checkpoints_refuse_truncate" BEFORE TRUNCATE ON "audit_checkpoints"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_refuse_change"();

ALTER TABLE "audit_events" ENABLE ALWAYS TRIGGER "audit_events_place";
ALTER TABLE "audit_events" ENABLE ALWAYS TRIGGER "audit_events_refuse_change";
ALTER TABLE "audit_events" ENABLE ALWAYS TRIGGER "audit_events_refuse_truncate";
ALTER TABLE "audit_seals" ENABLE ALWAYS TRIGGER "audit_seals_refuse_change";
ALTER TABLE "audit_seals" ENABLE ALWAYS TRIGGER "audit_seals_refuse_truncate";
ALTER TABLE "audit_checkpoints" ENABLE ALWAYS TRIGGER "audit_checkpoints_refuse_change";
ALTER TABLE "audit_checkpoints" ENABLE ALWAYS TRIGGER "audit_checkpoints_refuse_truncate";

ALTER TABLE "audit_seals" ADD CONSTRAINT "audit_seals_from_one" CHECK ("seq" > 0);
ALTER TABLE "audit_checkpoints" ADD CONSTRAINT "audit_checkpoints_count" CHECK ("count" > 0 AND "count" <= "seq");
