import { useMutation } from "@connectrpc/connect-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { ErrorNote } from "../../ui/error-card.tsx";
import { CertificateForm, draftOf, requestOf } from "./certificate-form.tsx";

const formId = "create-certificate";

/** Declares a certificate and issues it at once, where it has a place to go to. */
export function CreateCertificate({ onClose }: { onClose(): void }) {
  const [draft, setDraft] = useState(() => draftOf());
  const navigate = useNavigate();
  const create = useMutation(CertificateService.method.createCertificate);
  const renew = useMutation(CertificateService.method.renewCertificate);
  const mayRenew = usePermission("certificates:renew").isAllowed;
  const isIssued = draft.targets.length > 0 && mayRenew;
  const error = create.error ?? renew.error;
  const submit = async () => {
    const { certificate } = await create.mutateAsync(requestOf(draft));
    const id = certificate?.id ?? "";
    if (isIssued) await renew.mutateAsync({ id });
    onClose();
    void navigate({ to: "/certificates/$id", params: { id } });
  };
  return (
    <Dialog
      title="Issue a certificate"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" form={formId} type="submit" isPending={create.isPending || renew.isPending}>
            {isIssued ? "Issue and deploy" : "Declare it"}
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
        <CertificateForm draft={draft} onChange={setDraft} error={create.error} isNew />
        {error && <ErrorNote error={error} />}
      </form>
    </Dialog>
  );
}
