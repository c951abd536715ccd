/** The colour of a state. It never stands alone: an icon and a word say the same. */
export type Tone = "ok" | "due" | "warn" | "serious" | "bad" | "revoked" | "muted";

/** Classes in full, so that the stylesheet's compiler sees them. */
export const toneClass: Readonly<Record<Tone, string>> = {
  ok: "tone-ok",
  due: "tone-due",
  warn: "tone-warn",
  serious: "tone-serious",
  bad: "tone-bad",
  revoked: "tone-revoked",
  muted: "tone-muted",
};
