export const jobStatuses = ["Pending", "AwaitingCSR", "Running", "Completed", "Failed", "Cancelled"] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** The only ways that a job moves. Delivery to an agent is a lease on the row, not a state. */
export const transitions: Record<JobStatus, readonly JobStatus[]> = {
  Pending: ["AwaitingCSR", "Running", "Failed", "Cancelled"],
  AwaitingCSR: ["Running", "Pending", "Failed", "Cancelled"],
  Running: ["Completed", "Pending", "Failed", "Cancelled"],
  Completed: [],
  Failed: ["Pending"],
  Cancelled: ["Pending"],
};

/** These jobs have an agent make a key and a CA sign. */
export const issuanceTypes = ["Issuance", "Renewal"] as const;

export function isIssuance(type: string): boolean {
  return issuanceTypes.some((issuance) => issuance === type);
}

/** The server works on these; agents work on the others. */
export const serverTypes = ["Issuance", "Renewal", "Revocation"] as const;

/** A job in one of these states is still to be done. */
export const openStatuses = ["Pending", "AwaitingCSR", "Running"] as const satisfies readonly JobStatus[];

export function isOpen(status: string): boolean {
  return openStatuses.some((open) => open === status);
}
