import { notify } from "../platform/bus.ts";
import type { Transaction } from "../platform/database.ts";

/** Ends an agent's work streams when the transaction commits, wherever they are. It may open another at once. */
export async function endSessions(tx: Transaction, agentId: string): Promise<void> {
  const { sessionEpoch } = await tx.agent.update({
    where: { id: agentId },
    data: { sessionEpoch: { increment: 1 }, sessionId: null },
  });
  await notify(tx, "session", `${agentId} ${sessionEpoch}`);
}
