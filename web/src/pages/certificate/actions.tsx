import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import {
  Archive,
  ArchiveRestore,
  Ellipsis,
  Pencil,
  RefreshCw,
  ScanSearch,
  ShieldX,
  SquareTerminal,
  Upload,
} from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { type Certificate, CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { JourneyService } from "#gen/certctl/v1/journeys_pb.ts";
import { asCommand, asCurl } from "../../api/copy-as.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { useShortcuts } from "../../shortcuts/registry.ts";
import { Button, IconButton } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../../ui/menu.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { useCurrentVersion } from "./current-version.ts";
import { DownloadMenu } from "./download-menu.tsx";
import { JobsQueued } from "./jobs-queued.tsx";

const EditCertificate = lazy(() =>
  import("./edit-certificate.tsx").then(({ EditCertificate }) => ({ default: EditCertificate })),
);

const Revoke = lazy(() => import("./revoke.tsx").then(({ Revoke }) => ({ default: Revoke })));

/** What can be done with a certificate. */
export function CertificateActions({ certificate }: { certificate: Certificate }) {
  const { id, name, archivedAt, activeJobId, targetIds } = certificate;
  const [layer, setLayer] = useState<"edit" | "archive" | "revoke">();
  const queries = useQueryClient();
  const current = useCurrentVersion(id);
  const [renewing, writing] = [usePermission("certificates:renew"), usePermission("certificates:write")];
  const revoking = usePermission("certificates:revoke");
  const onSuccess = (what: string) => async (answer: { jobIds: string[] }) => {
    toast(<JobsQueued what={what} jobIds={answer.jobIds} />);
    await refresh(queries, CertificateService, JourneyService, JobService);
  };
  const onError = (error: unknown) => toast(messageOf(error));
  const renew = useMutation(CertificateService.method.renewCertificate, {
    onSuccess: onSuccess("Renewal"),
    onError,
  });
  const deploy = useMutation(CertificateService.method.deployCertificate, {
    onSuccess: onSuccess("Deployment"),
    onError,
  });
  const validate = useMutation(CertificateService.method.validateCertificate, {
    onSuccess: onSuccess("Validation"),
    onError,
  });
  const restore = useMutation(CertificateService.method.restoreCertificate, {
    onSuccess: () => refresh(queries, CertificateService),
    onError,
  });
  const archive = useMutation(CertificateService.method.deleteCertificate);
  const archived = archivedAt ? "It is archived: restore it first" : undefined;
  const noRenewal = renewing.reason ?? archived ?? (activeJobId ? "It is being renewed" : undefined);
  const noTargets = targetIds.length === 0 ? "It has no targets" : undefined;
  useShortcuts(
    useMemo(
      () => [
        {
          keys: "r",
          label: "Renew now",
          group: "This page",
          run: () => (noRenewal ? toast(noRenewal) : renew.mutate({ id })),
        } as const,
      ],
      [id, noRenewal, renew.mutate],
    ),
  );
  const copy = (text: string, what: string) =>
    void navigator.clipboard.writeText(text).then(() => toast(`Copied ${what}`));
  return (
    <>
      <Button icon={Pencil} disabledReason={writing.reason ?? archived} onClick={() => setLayer("edit")}>
        Edit
      </Button>
      {current && <DownloadMenu id={id} versionId={current.id} />}
      <Menu trigger={<IconButton icon={Ellipsis} label="More actions" kind="default" />}>
        <MenuItem
          icon={Upload}
          disabledReason={renewing.reason ?? archived ?? noTargets}
          onSelect={() => deploy.mutate({ id })}
        >
          Deploy the current version again
        </MenuItem>
        <MenuItem
          icon={ScanSearch}
          disabledReason={renewing.reason ?? archived ?? noTargets}
          onSelect={() => validate.mutate({ id })}
        >
          Look at what the targets serve
        </MenuItem>
        <MenuSeparator />
        <MenuLabel>Renew, to paste</MenuLabel>
        <MenuItem
          icon={SquareTerminal}
          onSelect={() => copy(asCommand(CertificateService.method.renewCertificate, { id }), "the command")}
        >
          Copy as certctl
        </MenuItem>
        <MenuItem
          icon={SquareTerminal}
          onSelect={() =>
            copy(asCurl(CertificateService.method.renewCertificate, { id }, location.origin), "the curl call")
          }
        >
          Copy as curl
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          icon={ShieldX}
          isDangerous
          disabledReason={revoking.reason ?? (current ? undefined : "Nothing was issued yet")}
          onSelect={() => setLayer("revoke")}
        >
          Revoke…
        </MenuItem>
        {archivedAt ? (
          <MenuItem
            icon={ArchiveRestore}
            disabledReason={writing.reason}
            onSelect={() => restore.mutate({ id })}
          >
            Restore
          </MenuItem>
        ) : (
          <MenuItem
            icon={Archive}
            isDangerous
            disabledReason={writing.reason}
            onSelect={() => setLayer("archive")}
          >
            Archive…
          </MenuItem>
        )}
      </Menu>
      <Button
        kind="primary"
        icon={RefreshCw}
        isPending={renew.isPending}
        disabledReason={noRenewal}
        onClick={() => renew.mutate({ id })}
      >
        {certificate.serialNumber ? "Renew now" : "Issue now"}
      </Button>
      <Suspense>
        {layer === "edit" && (
          <EditCertificate certificate={certificate} onClose={() => setLayer(undefined)} />
        )}
        {layer === "revoke" && <Revoke certificate={certificate} onClose={() => setLayer(undefined)} />}
      </Suspense>
      {layer === "archive" && (
        <Confirm
          title={`Archive ${name}`}
          action="Archive 1 certificate"
          isDangerous
          onConfirm={async () => {
            await archive.mutateAsync({ id });
            await refresh(queries, CertificateService);
          }}
          onClose={() => setLayer(undefined)}
        >
          <p>
            It is renewed no more and leaves the lists. {countText(targetIds.length, "target")} keep serving
            its current version until it expires. Its history stays, and it can be restored.
          </p>
        </Confirm>
      )}
    </>
  );
}
