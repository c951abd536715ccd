-- CreateTable
CREATE TABLE "installation" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "trust_domain" TEXT NOT NULL,
    "key_check" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "installation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "authorities" (
    "id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "parent_id" TEXT,
    "certificate" BYTEA NOT NULL,
    "sealed_key" BYTEA NOT NULL,
    "spki_sha256" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "authorities_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "issuers" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "config" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "issuers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agents" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "hostname" TEXT NOT NULL DEFAULT '',
    "version" TEXT NOT NULL DEFAULT '',
    "capabilities" TEXT[],
    "session_epoch" INTEGER NOT NULL DEFAULT 0,
    "session_id" TEXT,
    "instance_id" TEXT,
    "replica_id" TEXT,
    "max_in_flight" INTEGER NOT NULL DEFAULT 4,
    "last_heartbeat_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "agents_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agent_identities" (
    "authority_id" TEXT NOT NULL,
    "serial" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "spki_sha256" BYTEA NOT NULL,
    "certificate" BYTEA NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "join_token_id" TEXT,
    "activated_at" TIMESTAMPTZ(3),
    "retired_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "agent_identities_pkey" PRIMARY KEY ("authority_id","serial")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "agent_id" TEXT,
    "secret_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "join_tokens" (
    "id" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "agent_id" TEXT,
    "max_uses" INTEGER NOT NULL,
    "uses" INTEGER NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "join_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "managed_certificates" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "common_name" TEXT NOT NULL,
    "sans" TEXT[],
    "issuer_id" TEXT NOT NULL,
    "agent_id" TEXT,
    "key_algorithm" TEXT NOT NULL,
    "validity_seconds" INTEGER NOT NULL,
    "last_error" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "managed_certificates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "issuances" (
    "authority_id" TEXT NOT NULL,
    "serial" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "tbs" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "issuances_pkey" PRIMARY KEY ("authority_id","serial")
);

-- CreateTable
CREATE TABLE "certificate_versions" (
    "id" TEXT NOT NULL,
    "certificate_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "renewal_id" TEXT NOT NULL,
    "issuer_id" TEXT NOT NULL,
    "authority_id" TEXT NOT NULL,
    "serial" TEXT NOT NULL,
    "fingerprint_sha256" TEXT NOT NULL,
    "sans" TEXT[],
    "not_before" TIMESTAMPTZ(3) NOT NULL,
    "not_after" TIMESTAMPTZ(3) NOT NULL,
    "renew_at" TIMESTAMPTZ(3) NOT NULL,
    "pem_chain" TEXT NOT NULL,
    "root_pem" TEXT NOT NULL,
    "csr_pem" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "certificate_versions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "deployment_targets" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "config" JSONB NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "archived_at" TIMESTAMPTZ(3),

    CONSTRAINT "deployment_targets_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "certificate_target_mappings" (
    "certificate_id" TEXT NOT NULL,
    "target_id" TEXT NOT NULL,
    "version_id" TEXT,
    "proven_at" TIMESTAMPTZ(3),
    "served_fingerprint_sha256" TEXT,
    "served_at" TIMESTAMPTZ(3),

    CONSTRAINT "certificate_target_mappings_pkey" PRIMARY KEY ("certificate_id","target_id")
);

-- CreateTable
CREATE TABLE "jobs" (
    "id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "certificate_id" TEXT NOT NULL,
    "agent_id" TEXT NOT NULL,
    "target_id" TEXT,
    "version_id" TEXT,
    "parent_job_id" TEXT,
    "renewal_id" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL DEFAULT 5,
    "run_after" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_id" TEXT,
    "lease_epoch" INTEGER,
    "delivered_at" TIMESTAMPTZ(3),
    "acknowledged_at" TIMESTAMPTZ(3),
    "lease_expires_at" TIMESTAMPTZ(3),
    "result_lease_id" TEXT,
    "csr" BYTEA,
    "spki_sha256" BYTEA,
    "error_step" TEXT NOT NULL DEFAULT '',
    "error_message" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "jobs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_events" (
    "id" BIGSERIAL NOT NULL,
    "job_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "step" TEXT NOT NULL,
    "message" TEXT NOT NULL DEFAULT '',
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "request_id" TEXT,

    CONSTRAINT "job_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_events" (
    "id" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "actor_type" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "resource_type" TEXT NOT NULL,
    "resource_id" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "request_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "replicas" (
    "id" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "heartbeat_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "replicas_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "authorities_spki_sha256_key" ON "authorities"("spki_sha256");

-- CreateIndex
CREATE UNIQUE INDEX "agent_identities_spki_sha256_key" ON "agent_identities"("spki_sha256");

-- CreateIndex
CREATE INDEX "agent_identities_agent_id_idx" ON "agent_identities"("agent_id");

-- CreateIndex
CREATE UNIQUE INDEX "issuances_job_id_key" ON "issuances"("job_id");

-- CreateIndex
CREATE UNIQUE INDEX "certificate_versions_job_id_key" ON "certificate_versions"("job_id");

-- CreateIndex
CREATE INDEX "certificate_versions_certificate_id_agent_id_created_at_idx" ON "certificate_versions"("certificate_id", "agent_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "certificate_versions_authority_id_serial_key" ON "certificate_versions"("authority_id", "serial");

-- CreateIndex
CREATE INDEX "deployment_targets_agent_id_idx" ON "deployment_targets"("agent_id");

-- CreateIndex
CREATE INDEX "certificate_target_mappings_target_id_idx" ON "certificate_target_mappings"("target_id");

-- CreateIndex
CREATE UNIQUE INDEX "jobs_spki_sha256_key" ON "jobs"("spki_sha256");

-- CreateIndex
CREATE INDEX "jobs_certificate_id_created_at_idx" ON "jobs"("certificate_id", "created_at");

-- CreateIndex
CREATE INDEX "jobs_agent_id_status_idx" ON "jobs"("agent_id", "status");

-- CreateIndex
CREATE INDEX "jobs_parent_job_id_idx" ON "jobs"("parent_job_id");

-- CreateIndex
CREATE INDEX "job_events_job_id_id_idx" ON "job_events"("job_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_resource_type_resource_id_at_idx" ON "audit_events"("resource_type", "resource_id", "at");

-- AddForeignKey
ALTER TABLE "authorities" ADD CONSTRAINT "authorities_parent_id_fkey" FOREIGN KEY ("parent_id") REFERENCES "authorities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_identities" ADD CONSTRAINT "agent_identities_authority_id_fkey" FOREIGN KEY ("authority_id") REFERENCES "authorities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_identities" ADD CONSTRAINT "agent_identities_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_identities" ADD CONSTRAINT "agent_identities_join_token_id_fkey" FOREIGN KEY ("join_token_id") REFERENCES "join_tokens"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "managed_certificates" ADD CONSTRAINT "managed_certificates_issuer_id_fkey" FOREIGN KEY ("issuer_id") REFERENCES "issuers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "managed_certificates" ADD CONSTRAINT "managed_certificates_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "issuances" ADD CONSTRAINT "issuances_authority_id_fkey" FOREIGN KEY ("authority_id") REFERENCES "authorities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "issuances" ADD CONSTRAINT "issuances_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificate_versions" ADD CONSTRAINT "certificate_versions_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "managed_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificate_versions" ADD CONSTRAINT "certificate_versions_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificate_versions" ADD CONSTRAINT "certificate_versions_issuer_id_fkey" FOREIGN KEY ("issuer_id") REFERENCES "issuers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificate_versions" ADD CONSTRAINT "certificate_versions_authority_id_fkey" FOREIGN KEY ("authority_id") REFERENCES "authorities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificate_versions" ADD CONSTRAINT "certificate_versions_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deployment_targets" ADD CONSTRAINT "deployment_targets_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificate_target_mappings" ADD CONSTRAINT "certificate_target_mappings_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "managed_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificate_target_mappings" ADD CONSTRAINT "certificate_target_mappings_target_id_fkey" FOREIGN KEY ("target_id") REFERENCES "deployment_targets"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificate_target_mappings" ADD CONSTRAINT "certificate_target_mappings_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "certificate_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "managed_certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agents"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_target_id_fkey" FOREIGN KEY ("target_id") REFERENCES "deployment_targets"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_version_id_fkey" FOREIGN KEY ("version_id") REFERENCES "certificate_versions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_parent_job_id_fkey" FOREIGN KEY ("parent_job_id") REFERENCES "jobs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_events" ADD CONSTRAINT "job_events_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma cannot say.

-- One issuance or renewal at a time for a certificate and the agent that makes its key.
CREATE UNIQUE INDEX "jobs_one_open_issuance" ON "jobs"("certificate_id", "agent_id")
  WHERE "type" IN ('Issuance', 'Renewal') AND "status" IN ('Pending', 'AwaitingCSR', 'Running');

-- One first deployment for a version and a target.
CREATE UNIQUE INDEX "jobs_one_child_per_target" ON "jobs"("parent_job_id", "target_id") WHERE "parent_job_id" IS NOT NULL;

-- Names are unique among what is live.
CREATE UNIQUE INDEX "managed_certificates_live_name" ON "managed_certificates"("name") WHERE "archived_at" IS NULL;
CREATE UNIQUE INDEX "deployment_targets_live_name" ON "deployment_targets"("name") WHERE "archived_at" IS NULL;

-- What the sweep for ended leases and the claim of due work look for.
CREATE INDEX "jobs_leased" ON "jobs"("lease_expires_at") WHERE "lease_expires_at" IS NOT NULL;
CREATE INDEX "jobs_open" ON "jobs"("agent_id", "run_after") WHERE "status" IN ('Pending', 'AwaitingCSR', 'Running');

-- A repeated report adds no second row.
CREATE INDEX "job_events_report" ON "job_events"("job_id", "request_id") WHERE "request_id" IS NOT NULL;

ALTER TABLE "installation" ADD CONSTRAINT "installation_one_row" CHECK ("id" = 1);
