import type { MessageInitShape } from "@bufbuild/protobuf";
import { Download, Ellipsis, SquareTerminal } from "lucide-react";
import { AuditService, type ExportAuditEventsRequestSchema } from "#gen/certctl/v1/audit_pb.ts";
import { asCommand, asCurl } from "../../api/copy-as.ts";
import { downloadStream } from "../../api/download.ts";
import { messageOf } from "../../api/errors.ts";
import { IconButton } from "../../ui/button.tsx";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../../ui/menu.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";

/** What can be done with the events as they are filtered. */
export function AuditMenu({
  filter,
  total,
}: {
  filter: MessageInitShape<typeof ExportAuditEventsRequestSchema>;
  total: number;
}) {
  const { exportAuditEvents, listAuditEvents } = AuditService.method;
  const save = (format: "csv" | "ndjson") =>
    void downloadStream(exportAuditEvents, filter, "audit", format).catch((error) => toast(messageOf(error)));
  const copy = (text: string, what: string) =>
    void navigator.clipboard.writeText(text).then(() => toast(`Copied ${what}`));
  const { $typeName: _, ...listed } = { $typeName: undefined, ...filter };
  return (
    <Menu trigger={<IconButton icon={Ellipsis} label="More" kind="default" />}>
      <MenuLabel>These events</MenuLabel>
      <MenuItem
        icon={SquareTerminal}
        onSelect={() => copy(asCommand(listAuditEvents, listed), "the command")}
      >
        Copy as certctl
      </MenuItem>
      <MenuItem
        icon={SquareTerminal}
        onSelect={() => copy(asCurl(listAuditEvents, listed, location.origin), "the curl call")}
      >
        Copy as curl
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={Download} onSelect={() => save("csv")}>
        Export {countText(total, "event")} as CSV
      </MenuItem>
      <MenuItem icon={Download} onSelect={() => save("ndjson")}>
        Export as lines of JSON
      </MenuItem>
    </Menu>
  );
}
