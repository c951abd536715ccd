import { Archive, ArchiveRestore, Ellipsis, Pencil } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";

interface ArchiveActionsProps {
  name: string;
  /** "owner". */
  what: string;
  isArchived: boolean;
  /** Why the caller may not change it. */
  reason: string | undefined;
  /** What still depends on it. */
  used: string | undefined;
  onEdit(): void;
  onArchive(): Promise<unknown>;
  onRestore(): void;
}

/** What can be done with an owner or a team. */
export function ArchiveActions(props: ArchiveActionsProps) {
  const { name, what, isArchived, reason, used, onEdit, onArchive, onRestore } = props;
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <Menu trigger={<IconButton icon={Ellipsis} label="More actions" kind="default" />}>
        {isArchived ? (
          <MenuItem icon={ArchiveRestore} disabledReason={reason} onSelect={onRestore}>
            Restore
          </MenuItem>
        ) : (
          <MenuItem
            icon={Archive}
            isDangerous
            disabledReason={reason ?? used}
            onSelect={() => setAsking(true)}
          >
            Archive…
          </MenuItem>
        )}
      </Menu>
      <Button
        icon={Pencil}
        disabledReason={reason ?? (isArchived ? "Restore it first" : undefined)}
        onClick={onEdit}
      >
        Edit
      </Button>
      {isAsking && (
        <Confirm
          title={`Archive ${name}`}
          action={`Archive 1 ${what}`}
          isDangerous
          onClose={() => setAsking(false)}
          onConfirm={onArchive}
        >
          <p>Nothing depends on it. It leaves the lists and can be restored.</p>
        </Confirm>
      )}
    </>
  );
}
