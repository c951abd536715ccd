import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Certificate, CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ErrorNote } from "../../ui/error-card.tsx";
import { toast } from "../../ui/toast.tsx";
import { CertificateForm, draftOf, requestOf } from "../certificates/certificate-form.tsx";

const formId = "edit-certificate";

/** Changes what a certificate should be. */
export function EditCertificate({ certificate, onClose }: { certificate: Certificate; onClose(): void }) {
  const [draft, setDraft] = useState(() => draftOf(certificate));
  const queries = useQueryClient();
  const update = useMutation(CertificateService.method.updateCertificate);
  const submit = async () => {
    await update.mutateAsync({ id: certificate.id, ...requestOf(draft) });
    await refresh(queries, CertificateService);
    toast(`${draft.name} is changed`);
    onClose();
  };
  return (
    <Dialog
      title={`Edit ${certificate.name}`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" form={formId} type="submit" isPending={update.isPending}>
            Save
          </Button>
        </>
      }
    >
      <form
        id={formId}
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit().catch(() => {});
        }}
      >
        <p className="text-fg1">
          Names, issuer, key and validity take effect at the next issuance; a new target gets the current
          version at once.
        </p>
        <CertificateForm draft={draft} onChange={setDraft} error={update.error} isNew={false} />
        {update.error && <ErrorNote error={update.error} />}
      </form>
    </Dialog>
  );
}
