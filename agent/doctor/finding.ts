/** What the doctor found about one thing. */
export interface Finding {
  /** One of: settings, state, keys, agent.yaml, an entry's name, identity, connection, clock, service. */
  subject: string;
  state: "ok" | "warning" | "failed";
  message: string;
  /** What to do; empty where nothing is. */
  fix: string;
}

export const fine = (subject: string, message: string): Finding => ({
  subject,
  state: "ok",
  message,
  fix: "",
});
export const failed = (subject: string, message: string, fix: string): Finding => ({
  subject,
  state: "failed",
  message,
  fix,
});
export const warning = (subject: string, message: string, fix: string): Finding => ({
  subject,
  state: "warning",
  message,
  fix,
});
