import type { Job } from "#gen/prisma/client.ts";
import { notify } from "../platform/bus.ts";
import type { Transaction } from "../platform/database.ts";
import { enqueue } from "./queue.ts";
import { isIssuance } from "./state.ts";
import { addEvent, transition } from "./transition.ts";

/**
 * Sets a pending job that is due going: a revocation is asked of the issuer; an issuance waits for its agent's CSR, or is signed if the CSR is there, or has
 * its key made here; what
 * is done to a target is offered to its agent.
 */
export async function advance(tx: Transaction, job: Job): Promise<void> {
  if (job.type === "Revocation") {
    await enqueue(tx, "revoke", job.id);
    return;
  }
  if (!isIssuance(job.type)) {
    await notify(tx, "work", job.agentId);
    return;
  }
  if (job.keygen === "server" && !job.csr) {
    await enqueue(tx, "keygen", job.id);
    return;
  }
  if (job.csr) {
    await transition(tx, job, "Running", { attempts: { increment: 1 } });
    await addEvent(
      tx,
      { ...job, attempts: job.attempts + 1 },
      "signing",
      "with the CSR that was accepted before",
    );
    await enqueue(tx, "issue", job.id);
    return;
  }
  await transition(tx, job, "AwaitingCSR");
  await addEvent(tx, job, "awaiting_csr", `agent ${job.agentId} is to make the key`);
  await notify(tx, "work", job.agentId);
}
