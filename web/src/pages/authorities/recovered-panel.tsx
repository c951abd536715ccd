import { useMutation, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData, useQueryClient } from "@tanstack/react-query";
import { LifeBuoy } from "lucide-react";
import { useState } from "react";
import type { Authority } from "#gen/certctl/v1/authorities_pb.ts";
import { RevocationReason, RevocationReasonSchema } from "#gen/certctl/v1/certificates_pb.ts";
import {
  type RecoveredCertificate,
  RecoveredCertificateService,
} from "#gen/certctl/v1/recovered_certificates_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { usePermission } from "../../session/session.ts";
import { ReasonField } from "../../status/revocation-fields.tsx";
import { readable } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import type { Column } from "../../ui/data-table.tsx";
import { ListBody } from "../../ui/list-body.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { toast } from "../../ui/toast.tsx";
import { PemField } from "./pem-field.tsx";

const perPage = 50;

/** What the CA signed and the database did not know of: brought back one by one, to be answered for and revoked. */
export function RecoveredPanel({ authority: { id: authorityId } }: { authority: Authority }) {
  const [page, setPage] = useState(1);
  const [layer, setLayer] = useState<"recover" | RecoveredCertificate>();
  const { reason } = usePermission("authorities:write");
  const list = useQuery(
    RecoveredCertificateService.method.listRecoveredCertificates,
    { authorityId, page, perPage },
    { placeholderData: keepPreviousData },
  );
  const close = () => setLayer(undefined);
  const columns: Column<RecoveredCertificate>[] = [
    { key: "names", header: "Names", cell: ({ sans, subject }) => sans.join(", ") || subject },
    {
      key: "serial",
      header: "Serial",
      from: "md",
      cell: ({ serialNumber }) => (
        <CopyText text={serialNumber} shown={shortHex(serialNumber)} label="the serial number" />
      ),
    },
    { key: "ends", header: "Ends", from: "sm", cell: ({ notAfter }) => <Time at={notAfter} /> },
    {
      key: "revoked",
      header: "Revocation",
      cell: (row) =>
        row.revokedAt ? (
          <>
            {readable(RevocationReasonSchema, row.revocationReason)}, <Time at={row.revokedAt} />
          </>
        ) : (
          <Button isSmall disabledReason={reason} onClick={() => setLayer(row)}>
            Revoke…
          </Button>
        ),
    },
  ];
  return (
    <Panel
      title="Recovered certificates"
      note="signed by it, and unknown to the database until brought back"
      actions={
        <Button isSmall icon={LifeBuoy} disabledReason={reason} onClick={() => setLayer("recover")}>
          Recover a certificate
        </Button>
      }
    >
      {list.data?.total === 0 ? (
        <p className="text-fg2">
          None. After a restore from an older backup, bring back what was issued since: OCSP says "unknown" of
          it, and it cannot be revoked before.
        </p>
      ) : (
        <ListBody
          label="Recovered certificates"
          list={list}
          what="the recovered certificates"
          columns={columns}
          keyOf={({ id }) => id}
          page={String(page)}
          pages={{ at: page, per: perPage, onChange: setPage }}
        />
      )}
      {layer === "recover" && <RecoverForm onClose={close} />}
      {typeof layer === "object" && <RevokeRecovered certificate={layer} onClose={close} />}
    </Panel>
  );
}

function RecoverForm({ onClose }: { onClose(): void }) {
  const [certificatePem, setPem] = useState("");
  const queries = useQueryClient();
  const recover = useMutation(RecoveredCertificateService.method.createRecoveredCertificate);
  return (
    <FormDialog
      title="Recover a certificate"
      action="Recover"
      error={recover.error}
      isPending={recover.isPending}
      onClose={onClose}
      onSubmit={async () => {
        const { recoveredCertificate } = await recover.mutateAsync({ certificatePem });
        await refresh(queries, RecoveredCertificateService);
        toast(`Recovered for ${recoveredCertificate?.authorityName ?? "its CA"}`);
        onClose();
      }}
    >
      <p className="text-fg1">
        The CA is found by its signature. From then on OCSP says "good", no other certificate gets this key,
        and the certificate can be revoked.
      </p>
      <PemField
        label="Certificate"
        hint="PEM, as its server has it; a chain that follows is not looked at"
        error={wrongWith(recover.error, "certificate_pem")}
        value={certificatePem}
        onChange={setPem}
      />
    </FormDialog>
  );
}

function RevokeRecovered({
  certificate: { id, sans, serialNumber },
  onClose,
}: {
  certificate: RecoveredCertificate;
  onClose(): void;
}) {
  const [reason, setReason] = useState<RevocationReason>(RevocationReason.SUPERSEDED);
  const queries = useQueryClient();
  const revoke = useMutation(RecoveredCertificateService.method.revokeRecoveredCertificate);
  return (
    <Confirm
      title={`Revoke ${sans[0] ?? "a recovered certificate"}`}
      action="Revoke 1 certificate"
      isDangerous
      onClose={onClose}
      onConfirm={async () => {
        await revoke.mutateAsync({ id, reason });
        await refresh(queries, RecoveredCertificateService);
        toast("1 certificate is revoked");
      }}
    >
      <p>
        Clients that check refuse the certificate with the serial number{" "}
        <span className="break-all font-mono">{serialNumber}</span> from then on, wherever it is served. This
        cannot be undone.
      </p>
      <ReasonField reason={reason} onChange={setReason} />
    </Confirm>
  );
}
