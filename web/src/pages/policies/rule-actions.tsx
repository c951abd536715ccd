import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Archive, ArchiveRestore, Ellipsis, Pencil } from "lucide-react";
import { useState } from "react";
import { type PolicyRule, PolicyService } from "#gen/certctl/v1/policies_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { RuleForm } from "./rule-form.tsx";

/** What can be done with a rule. */
export function RuleActions({ rule }: { rule: PolicyRule }) {
  const [layer, setLayer] = useState<"edit" | "archive">();
  const { reason } = usePermission("policies:write");
  const queries = useQueryClient();
  const again = () => refresh(queries, PolicyService);
  const onError = (error: unknown) => toast(messageOf(error));
  const archive = useMutation(PolicyService.method.deletePolicyRule);
  const restore = useMutation(PolicyService.method.restorePolicyRule, { onSuccess: again, onError });
  const update = useMutation(PolicyService.method.updatePolicyRule, { onSuccess: again, onError });
  const { id, name, severity, mode, enabled, openViolations } = rule;
  const archived = rule.archivedAt ? "Restore it first" : undefined;
  return (
    <>
      <Menu trigger={<IconButton icon={Ellipsis} label="More actions" kind="default" />}>
        <MenuItem
          disabledReason={reason ?? archived}
          onSelect={() =>
            update.mutate({ id, name, severity, mode, config: rule.config ?? {}, enabled: !enabled })
          }
        >
          {enabled ? "Disable" : "Enable"}
        </MenuItem>
        {rule.archivedAt ? (
          <MenuItem icon={ArchiveRestore} disabledReason={reason} onSelect={() => restore.mutate({ id })}>
            Restore
          </MenuItem>
        ) : (
          <MenuItem icon={Archive} isDangerous disabledReason={reason} onSelect={() => setLayer("archive")}>
            Archive…
          </MenuItem>
        )}
      </Menu>
      <Button icon={Pencil} disabledReason={reason ?? archived} onClick={() => setLayer("edit")}>
        Edit
      </Button>
      {layer === "edit" && <RuleForm rule={rule} onClose={() => setLayer(undefined)} />}
      {layer === "archive" && (
        <Confirm
          title={`Archive ${name}`}
          action="Archive 1 rule"
          isDangerous
          onClose={() => setLayer(undefined)}
          onConfirm={async () => {
            await archive.mutateAsync({ id });
            await again();
          }}
        >
          <p>
            No certificate is held to it any more: {countText(openViolations, "violation")} will close. It
            leaves the lists and can be restored.
          </p>
        </Confirm>
      )}
    </>
  );
}
