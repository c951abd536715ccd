/** Something that the operator must mend before certctl can start. The message is one sentence meant for them. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}
