/** Only a path of this dashboard: a link must not lead out of it by way of signing in. */
export function pathOf(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : "/";
}
