import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Archive, ArchiveRestore, Ellipsis } from "lucide-react";
import { type RenewalPolicy, RenewalPolicyService } from "#gen/certctl/v1/renewal_policies_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { IconButton } from "../../ui/button.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";

/** Takes a renewal policy out of use, or brings it back. */
export function RenewalPolicyActions({ policy }: { policy: RenewalPolicy }) {
  const { id, name, certificateCount: used, archivedAt } = policy;
  const { reason } = usePermission("renewal-policies:write");
  const queries = useQueryClient();
  const done = {
    onSuccess: () => refresh(queries, RenewalPolicyService),
    onError: (error: unknown) => toast(messageOf(error)),
  };
  const archive = useMutation(RenewalPolicyService.method.deleteRenewalPolicy, done);
  const restore = useMutation(RenewalPolicyService.method.restoreRenewalPolicy, done);
  return (
    <Menu trigger={<IconButton icon={Ellipsis} label={`Actions for ${name}`} isSmall />}>
      {archivedAt ? (
        <MenuItem icon={ArchiveRestore} disabledReason={reason} onSelect={() => restore.mutate({ id })}>
          Restore
        </MenuItem>
      ) : (
        <MenuItem
          icon={Archive}
          isDangerous
          disabledReason={reason ?? (used > 0 ? `${countText(used, "certificate")} have it` : undefined)}
          onSelect={() => archive.mutate({ id })}
        >
          Archive
        </MenuItem>
      )}
    </Menu>
  );
}
