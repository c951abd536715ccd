/** Whether the caller may do something, and why not. */
export interface Permission {
  isAllowed: boolean;
  /** For `disabledReason`; undefined where it is allowed. */
  reason: string | undefined;
}

/** What the control plane would say to a call that needs this permission: "certificates:renew". */
export function usePermission(_permission: string): Permission {
  return { isAllowed: true, reason: undefined };
}
