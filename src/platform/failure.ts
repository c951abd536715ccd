/**
 * Why an attempt failed, which decides when the next one is worth making. `Network`: the other side was not reached or
 * fell silent. `Refused`: the CA's verdict. `RateLimited`: the CA asks for patience. `Target`: the server that a
 * certificate was to be put on. `Configuration`: somebody has to change something first. `Internal`: certctl's own fault.
 */
export const failureClasses = [
  "Network",
  "Refused",
  "RateLimited",
  "Target",
  "Configuration",
  "Internal",
] as const;
export type FailureClass = (typeof failureClasses)[number];
