import { createPublicKey, randomBytes } from "node:crypto";
import { allCheckpoints } from "../src/audit/checkpoints.ts";
import type { NumberedRow, SignedCheckpoint } from "../src/audit/evidence.ts";
import { type AuditKey, openAuditKey } from "../src/audit/key.ts";
import { recordAudit, system } from "../src/audit/record.ts";
import { sealSettled } from "../src/audit/seal.ts";
import { type Verdict, verifyAudit } from "../src/audit/verify.ts";
import { allAuditEvents } from "../src/audit/view.ts";
import { createSealer } from "../src/platform/seal.ts";
import type { ControlPlane } from "./fixtures.ts";

/** The audit of a control plane, to write, seal, damage and verify. */
export interface TestAudit {
  key: AuditKey;
  /** Writes rows in a transaction of their own. */
  write(...resourceIds: string[]): Promise<void>;
  seal(scope?: "all" | "newer"): Promise<SignedCheckpoint | null>;
  verify(options?: { expect?: { seq: bigint; hash: string }; keys?: AuditKey[] }): Promise<Verdict>;
  rows(): Promise<NumberedRow[]>;
  /** Changes what the triggers protect, as an owner of the tables can. */
  tamper(sql: string): Promise<void>;
}

export async function openAudit(plane: ControlPlane): Promise<TestAudit> {
  const { db, log } = plane;
  const key = await openAuditKey(db, createSealer(randomBytes(32)));
  return {
    key,
    async write(...resourceIds) {
      await db.$transaction(async (tx) => {
        for (const resourceId of resourceIds)
          await recordAudit(tx, system, { action: "tested", resourceType: "test", resourceId });
      });
    },
    seal: (scope = "newer") => sealSettled({ db, key, log }, plane.time.now, scope),
    verify: ({ expect, keys = [key] } = {}) =>
      verifyAudit({
        rows: allAuditEvents(db, null),
        checkpoints: allCheckpoints(db),
        keys: keys.map(({ key: each }) => createPublicKey(each)),
        ...(expect ? { expect } : {}),
      }),
    async rows() {
      const rows: NumberedRow[] = [];
      for await (const row of allAuditEvents(db, null)) rows.push(row);
      return rows;
    },
    async tamper(sql) {
      const tables = ["audit_events", "audit_seals", "audit_checkpoints"];
      const switched = (how: string) => tables.map((table) => `ALTER TABLE ${table} ${how} TRIGGER USER`);
      const statements = [...switched("DISABLE"), ...sql.split(";"), ...switched("ENABLE")];
      await db.$transaction(statements.map((statement) => db.$executeRawUnsafe(statement)));
    },
  };
}
