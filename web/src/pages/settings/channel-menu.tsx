import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Archive, ArchiveRestore, Ellipsis, Pencil, Send } from "lucide-react";
import { useState } from "react";
import { type Notifier, NotifierService } from "#gen/certctl/v1/notifiers_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { IconButton } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu.tsx";
import { toast } from "../../ui/toast.tsx";

/** What can be done with a channel. */
export function ChannelMenu({ channel, onEdit }: { channel: Notifier; onEdit(channel: Notifier): void }) {
  const { id, name, archivedAt } = channel;
  const [isArchiving, setArchiving] = useState(false);
  const { reason } = usePermission("notifiers:write");
  const queries = useQueryClient();
  const archive = useMutation(NotifierService.method.deleteNotifier);
  const restore = useMutation(NotifierService.method.restoreNotifier, {
    onSuccess: () => refresh(queries, NotifierService),
    onError: (error) => toast(messageOf(error)),
  });
  const test = useMutation(NotifierService.method.testNotifier, {
    onMutate: () => toast(`${name} is sending a test message`),
    onSuccess: ({ delivered, message }) =>
      toast(`${name}: ${delivered ? "the test message was delivered" : "not delivered"}. ${message}`),
    onError: (error) => toast(messageOf(error)),
  });
  return (
    <>
      <Menu trigger={<IconButton icon={Ellipsis} label={`More for ${name}`} />}>
        <MenuItem icon={Send} disabledReason={reason} onSelect={() => test.mutate({ id })}>
          Send a test message
        </MenuItem>
        <MenuItem icon={Pencil} disabledReason={reason} onSelect={() => onEdit(channel)}>
          Edit…
        </MenuItem>
        <MenuSeparator />
        {archivedAt ? (
          <MenuItem icon={ArchiveRestore} disabledReason={reason} onSelect={() => restore.mutate({ id })}>
            Restore
          </MenuItem>
        ) : (
          <MenuItem icon={Archive} isDangerous disabledReason={reason} onSelect={() => setArchiving(true)}>
            Archive…
          </MenuItem>
        )}
      </Menu>
      {isArchiving && (
        <Confirm
          title={`Archive ${name}`}
          action="Archive 1 channel"
          isDangerous
          onClose={() => setArchiving(false)}
          onConfirm={async () => {
            await archive.mutateAsync({ id });
            await refresh(queries, NotifierService);
            toast(`${name} is archived`);
          }}
        >
          <p>Nothing is sent through it any more. It can be restored; a renewal policy must not name it.</p>
        </Confirm>
      )}
    </>
  );
}
