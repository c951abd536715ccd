import { Link } from "@tanstack/react-router";
import type { AuditEvent } from "#gen/certctl/v1/audit_pb.ts";
import { fieldText, pathOf } from "./words.ts";

/** What an event is about, and the way there; `isPlain` where links would lie too close. */
export function Resource({ event, isPlain = false }: { event: AuditEvent; isPlain?: boolean }) {
  const { resourceType, resourceId } = event;
  const path = pathOf(resourceType, resourceId);
  const text = resourceId || fieldText(resourceType);
  const title = `${fieldText(resourceType)} ${resourceId}`;
  const shape = "inline-block max-w-52 truncate align-bottom font-mono text-sm leading-6";
  return path && !isPlain ? (
    <Link to={path} className={`${shape} hover:underline`} title={title}>
      {text}
    </Link>
  ) : (
    <span className={shape} title={title}>
      {text}
    </span>
  );
}
