import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Authority, AuthorityService } from "#gen/certctl/v1/authorities_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { toast } from "../../ui/toast.tsx";
import { KeyFileField, PassphraseField } from "./key-fields.tsx";

/** Brings the key of a root back. */
export function RestoreForm({ authority: { id, name }, onClose }: { authority: Authority; onClose(): void }) {
  const [file, setFile] = useState<File>();
  const [passphrase, setPassphrase] = useState("");
  const queries = useQueryClient();
  const restore = useMutation(AuthorityService.method.restoreAuthorityKey);
  const { error } = restore;
  return (
    <FormDialog
      title={`Bring the key of ${name} back`}
      action="Bring back"
      error={error}
      isPending={restore.isPending}
      onClose={onClose}
      onSubmit={async () => {
        await restore.mutateAsync({ id, privateKeyPem: (await file?.text()) ?? "", passphrase });
        await refresh(queries, AuthorityService);
        toast(`${name} can sign again`);
        onClose();
      }}
    >
      <p className="text-fg1">
        The key is sealed in the database again, and {name} can sign CAs. Your file stays as it is: the root
        goes offline again by exporting anew.
      </p>
      <KeyFileField error={wrongWith(error, "private_key_pem")} onChange={setFile} />
      <PassphraseField error={wrongWith(error, "passphrase")} value={passphrase} onChange={setPassphrase} />
    </FormDialog>
  );
}
