import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { Archive, Check, CirclePause } from "lucide-react";
import { State } from "../ui/badge.tsx";

/** Whether a connector is in use. */
export function EnabledState({
  enabled,
  archivedAt,
}: {
  enabled: boolean;
  archivedAt?: Timestamp | undefined;
}) {
  if (archivedAt)
    return (
      <State tone="muted" icon={Archive}>
        Archived
      </State>
    );
  return enabled ? (
    <State tone="ok" icon={Check}>
      Enabled
    </State>
  ) : (
    <State tone="warn" icon={CirclePause}>
      Disabled
    </State>
  );
}
