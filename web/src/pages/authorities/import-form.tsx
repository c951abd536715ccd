import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { AuthorityService } from "#gen/certctl/v1/authorities_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { NameField } from "../../forms/kind-field.tsx";
import { toast } from "../../ui/toast.tsx";
import { PassphraseField } from "./key-fields.tsx";
import { LocalIssuerField } from "./local-issuer-field.tsx";
import { PemField } from "./pem-field.tsx";

/** Takes a CA that exists elsewhere: its certificate, those above it, and its key. */
export function ImportForm({ onClose }: { onClose(): void }) {
  const [name, setName] = useState("");
  const [issuerId, setIssuer] = useState("");
  const [certificatePem, setCertificate] = useState("");
  const [privateKeyPem, setKey] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const queries = useQueryClient();
  const imported = useMutation(AuthorityService.method.importAuthority);
  const { error } = imported;
  const submit = async () => {
    await imported.mutateAsync({ name, issuerId, certificatePem, privateKeyPem, passphrase });
    await refresh(queries, AuthorityService);
    toast(`${name} is imported, and signs now`);
    onClose();
  };
  return (
    <FormDialog
      title="Import a CA with its key"
      action="Import CA"
      onClose={onClose}
      onSubmit={submit}
      error={error}
      isPending={imported.isPending}
    >
      <p className="text-fg1">
        For an issuing CA under an enterprise's root. It signs for its issuer at once; the key is sealed in
        the database. Where the key must not be sent, create an authority that another CA signs instead.
      </p>
      <NameField name={name} onChange={setName} error={error} />
      <LocalIssuerField value={issuerId} onChange={setIssuer} error={error} />
      <PemField
        label="Certificate"
        hint="PEM: its certificate, then each CA above it, up to and with the root"
        error={wrongWith(error, "certificate_pem")}
        value={certificatePem}
        onChange={setCertificate}
      />
      <PemField
        label="Private key"
        hint="PEM, PKCS #8; encrypted or not"
        error={wrongWith(error, "private_key_pem")}
        value={privateKeyPem}
        onChange={setKey}
        isSecret
      />
      <PassphraseField
        isOptional
        hint="Of an encrypted key"
        error={wrongWith(error, "passphrase")}
        value={passphrase}
        onChange={setPassphrase}
      />
    </FormDialog>
  );
}
