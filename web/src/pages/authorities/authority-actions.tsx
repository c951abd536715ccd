import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { KeyRound, RefreshCw, Upload } from "lucide-react";
import { useState } from "react";
import {
  type Authority,
  AuthorityRole,
  AuthorityService,
  AuthorityState,
  KeyPlace,
} from "#gen/certctl/v1/authorities_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { OfflineForm } from "./offline-form.tsx";
import { PemField } from "./pem-field.tsx";
import { RestoreForm } from "./restore-form.tsx";

/** What can be done with a CA as it stands. */
export function AuthorityActions({ authority }: { authority: Authority }) {
  const [layer, setLayer] = useState<"rotate" | "install" | "offline" | "restore">();
  const { reason } = usePermission("authorities:write");
  const queries = useQueryClient();
  const rotate = useMutation(AuthorityService.method.rotateAuthority);
  const close = () => setLayer(undefined);
  const { id, name, role, issuerId, issuerName, state, keyPlace } = authority;
  const isRoot = role === AuthorityRole.ISSUING_ROOT;
  const isSigning = issuerId !== "" && state === AuthorityState.ACTIVE;
  return (
    <>
      {state === AuthorityState.PENDING && (
        <Button kind="primary" icon={Upload} disabledReason={reason} onClick={() => setLayer("install")}>
          Install certificate
        </Button>
      )}
      {issuerId !== "" && state !== AuthorityState.PENDING && (
        <Button
          icon={RefreshCw}
          disabledReason={reason ?? (isSigning ? undefined : "It signs nothing any more")}
          onClick={() => setLayer("rotate")}
        >
          Rotate
        </Button>
      )}
      {isRoot && keyPlace === KeyPlace.DATABASE && (
        <Button icon={KeyRound} disabledReason={reason} onClick={() => setLayer("offline")}>
          Take offline…
        </Button>
      )}
      {isRoot && keyPlace === KeyPlace.OFFLINE && (
        <Button icon={KeyRound} disabledReason={reason} onClick={() => setLayer("restore")}>
          Bring its key back
        </Button>
      )}
      {layer === "offline" && <OfflineForm authority={authority} onClose={close} />}
      {layer === "restore" && <RestoreForm authority={authority} onClose={close} />}
      {layer === "install" && <InstallForm authority={authority} onClose={close} />}
      {layer === "rotate" && (
        <Confirm
          title={`Rotate ${name}`}
          action="Make its successor"
          onClose={close}
          onConfirm={async () => {
            const { authority: next } = await rotate.mutateAsync({ id });
            await refresh(queries, AuthorityService);
            toast(next ? `${next.name} is made` : "The successor is made");
          }}
        >
          <p>
            A new key with the same limits signs for {issuerName} from then on. {name} signs nothing more, and
            keeps its CRL and OCSP until the last of {countText(authority.validCertificates, "certificate")}{" "}
            ends.
          </p>
        </Confirm>
      )}
    </>
  );
}

function InstallForm({ authority: { id, name }, onClose }: { authority: Authority; onClose(): void }) {
  const [certificatePem, setPem] = useState("");
  const queries = useQueryClient();
  const install = useMutation(AuthorityService.method.installAuthority);
  return (
    <FormDialog
      title={`Install the certificate of ${name}`}
      action="Install"
      error={install.error}
      isPending={install.isPending}
      onClose={onClose}
      onSubmit={async () => {
        await install.mutateAsync({ id, certificatePem });
        await refresh(queries, AuthorityService);
        toast(`${name} signs now`);
        onClose();
      }}
    >
      <PemField
        label="Certificate"
        hint="PEM: its certificate, then each CA above it, up to and with the root"
        error={wrongWith(install.error, "certificate_pem")}
        value={certificatePem}
        onChange={setPem}
      />
    </FormDialog>
  );
}
