import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Authority, AuthorityService } from "#gen/certctl/v1/authorities_pb.ts";
import { saveFile } from "../../api/download.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { Button } from "../../ui/button.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { KeyFileField, PassphraseField } from "./key-fields.tsx";
import { KeyFileError, publicKeySha256 } from "./key-file.ts";

interface OfflineFormProps {
  authority: Authority;
  onClose(): void;
}

/** Takes a root offline, in two steps: the key is saved as a file, and removed only after that file was opened again. */
export function OfflineForm(props: OfflineFormProps) {
  const [isSaved, setSaved] = useState(false);
  return isSaved ? (
    <RemoveStep {...props} onBack={() => setSaved(false)} />
  ) : (
    <ExportStep {...props} onSaved={() => setSaved(true)} />
  );
}

function ExportStep({ authority: { id, name }, onClose, onSaved }: OfflineFormProps & { onSaved(): void }) {
  const [passphrase, setPassphrase] = useState("");
  const exported = useMutation(AuthorityService.method.exportAuthorityKey);
  return (
    <FormDialog
      title={`Take ${name} offline: export its key`}
      action="Export key"
      error={exported.error}
      isPending={exported.isPending}
      onClose={onClose}
      onSubmit={async () => {
        const { privateKeyPem } = await exported.mutateAsync({ id, passphrase });
        saveFile(new Blob([privateKeyPem], { type: "application/x-pem-file" }), `${id}.key`);
        onSaved();
      }}
      extra={<Button onClick={onSaved}>I have the file</Button>}
    >
      <p className="text-fg1">
        The key is saved as <span className="font-mono">{id}.key</span>, encrypted under a passphrase. Nothing
        is removed yet: that is the second step, and it asks for the file.
      </p>
      <PassphraseField
        hint="16 characters or more. Without it the file is worth nothing: keep it in another place"
        error={wrongWith(exported.error, "passphrase")}
        value={passphrase}
        onChange={setPassphrase}
        minLength={16}
      />
    </FormDialog>
  );
}

function RemoveStep({ authority, onClose, onBack }: OfflineFormProps & { onBack(): void }) {
  const { id, name } = authority;
  const [file, setFile] = useState<File>();
  const [passphrase, setPassphrase] = useState("");
  const [problem, setProblem] = useState<string>();
  const queries = useQueryClient();
  const all = useQuery(AuthorityService.method.listAuthorities, { perPage: 500, sort: "name" });
  const below = (all.data?.data ?? []).filter(({ parentId }) => parentId === id).length;
  const remove = useMutation(AuthorityService.method.takeAuthorityOffline);
  const submit = async () => {
    setProblem(undefined);
    const keySha256 = await publicKeySha256((await file?.text()) ?? "", passphrase).catch(
      (error: unknown) => {
        setProblem(error instanceof KeyFileError ? error.message : "cannot be read");
        throw error;
      },
    );
    await remove.mutateAsync({ id, keySha256 });
    await refresh(queries, AuthorityService);
    toast(`${name} is offline`);
    onClose();
  };
  return (
    <FormDialog
      title={`Take ${name} offline: remove its key`}
      action="Remove the key"
      isDangerous
      error={remove.error}
      isPending={remove.isPending}
      onClose={onClose}
      onSubmit={submit}
      extra={<Button onClick={onBack}>Export again</Button>}
    >
      <p className="text-fg1">
        Choose the file that was saved: this page opens it, and shows the control plane that its key is {name}
        's. Neither file nor passphrase leaves your browser.
      </p>
      <Consequences>
        <li>The key leaves the database. Then the file is all there is of it.</li>
        <li>What it signed stays valid, {countText(below, "CA")} below it; no certificate changes.</li>
        <li>No new CA is signed, and none below it is rotated, until the key is brought back.</li>
      </Consequences>
      <KeyFileField error={wrongWith(remove.error, "key_sha256") ?? problem} onChange={setFile} />
      <PassphraseField error={undefined} value={passphrase} onChange={setPassphrase} />
    </FormDialog>
  );
}

function Consequences({ children }: { children: ReactNode }) {
  return <ul className="flex list-disc flex-col gap-1 pl-5 text-fg1">{children}</ul>;
}
