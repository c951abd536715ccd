/** What an API key may be for. */
export const roles = ["admin", "operator", "viewer", "auditor", "agent"] as const;
export type Role = (typeof roles)[number];

/**
 * Who holds which permission of the contract. Operators run certificates but change neither who signs them, nor the
 * rules, nor who is told, nor who may call. Viewers see what operators see, and keep
 * views of their own. Auditors read the audit and nothing else. Agents hold none: their calls say so themselves.
 */
const holders: Readonly<Record<string, readonly Role[]>> = {
  "agents:read": ["admin", "operator", "viewer"],
  "agents:write": ["admin", "operator"],
  "api-keys:read": ["admin"],
  "api-keys:write": ["admin"],
  "audit:read": ["admin", "auditor"],
  "authorities:read": ["admin", "operator", "viewer"],
  "authorities:write": ["admin"],
  "certificates:read": ["admin", "operator", "viewer"],
  "certificates:renew": ["admin", "operator"],
  "certificates:revoke": ["admin", "operator"],
  "certificates:write": ["admin", "operator"],
  "events:read": ["admin", "operator", "viewer", "auditor"],
  "issuers:read": ["admin", "operator", "viewer"],
  "issuers:write": ["admin"],
  "jobs:read": ["admin", "operator", "viewer"],
  "jobs:write": ["admin", "operator"],
  "notifications:read": ["admin", "operator", "viewer"],
  "notifications:write": ["admin", "operator"],
  "notifiers:read": ["admin", "operator", "viewer"],
  "notifiers:write": ["admin"],
  "operations:read": ["admin", "operator", "viewer"],
  "operations:write": ["admin", "operator"],
  "owners:read": ["admin", "operator", "viewer"],
  "owners:write": ["admin", "operator"],
  "policies:read": ["admin", "operator", "viewer"],
  "policies:write": ["admin"],
  "renewal-policies:read": ["admin", "operator", "viewer"],
  "renewal-policies:write": ["admin"],
  "saved-views:read": ["admin", "operator", "viewer"],
  "saved-views:share": ["admin", "operator"],
  "saved-views:write": ["admin", "operator", "viewer"],
  "scheduler:read": ["admin", "operator", "viewer"],
  "scheduler:run": ["admin", "operator"],
  "session:read": ["admin", "operator", "viewer", "auditor"],
  "stats:read": ["admin", "operator", "viewer"],
  "targets:read": ["admin", "operator", "viewer"],
  "targets:write": ["admin", "operator"],
  "teams:read": ["admin", "operator", "viewer"],
  "teams:write": ["admin"],
};

/**
 * What a key that is restricted to teams or issuers may use: calls that check every object against its grants, and
 * reading what belongs to nobody. The rest concerns the whole estate and needs a key without restriction.
 */
const restrictable: ReadonlySet<string> = new Set([
  "agents:read",
  "api-keys:read",
  "api-keys:write",
  "certificates:read",
  "certificates:renew",
  "certificates:revoke",
  "certificates:write",
  "events:read",
  "issuers:read",
  "jobs:read",
  "jobs:write",
  "notifications:read",
  "notifications:write",
  "notifiers:read",
  "owners:read",
  "policies:read",
  "renewal-policies:read",
  "saved-views:read",
  "saved-views:write",
  "scheduler:read",
  "session:read",
  "targets:read",
  "teams:read",
]);

export const permissions: readonly string[] = Object.keys(holders);

export function holdsPermission(role: Role, permission: string): boolean {
  return holders[permission]?.includes(role) ?? false;
}

/** Whether a key may use the permission within its grants. */
export function isRestrictable(permission: string): boolean {
  return restrictable.has(permission);
}
