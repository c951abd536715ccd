import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { RefreshCw, Upload } from "lucide-react";
import { useState } from "react";
import {
  type Authority,
  AuthorityService,
  AuthorityState,
  KeyPlaceSchema,
} from "#gen/certctl/v1/authorities_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { wrongWith } from "../../forms/config-fields.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { usePermission } from "../../session/session.ts";
import { AuthorityBadge } from "../../status/authority-state.tsx";
import { wordOfValue } from "../../status/words.ts";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { CodeBlock, CopyText } from "../../ui/copy.tsx";
import { Field, Textarea } from "../../ui/field.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { roleText } from "./role-text.ts";

const parent = { to: "/authorities", label: "Authorities" };

/** One CA: what it may sign, where its key lies, and what is said of its revocations. */
export function AuthorityPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(AuthorityService.method.getAuthority, { id });
  return (
    <ObjectPage id={id} what="authority" parent={parent} value={read.data?.authority} query={read}>
      {(authority) => (
        <>
          <PageHeader title={authority.name} parent={parent} badge={<AuthorityBadge {...authority} />}>
            <Actions authority={authority} />
          </PageHeader>
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <div className="flex min-w-0 flex-col gap-4">
              {authority.csrPem !== "" && (
                <Panel title="Waits for its certificate" note="have this signed as a CA, then install it">
                  <CodeBlock label="the CSR" text={authority.csrPem} />
                </Panel>
              )}
              <LimitsPanel authority={authority} />
              {authority.crl && <CrlPanel crl={authority.crl} />}
              {authority.certificatePem !== "" && (
                <Panel title="Certificate">
                  <CodeBlock label="the CA's certificate" text={authority.certificatePem} />
                </Panel>
              )}
            </div>
            <FactsPanel authority={authority} />
          </div>
        </>
      )}
    </ObjectPage>
  );
}

function Actions({ authority }: { authority: Authority }) {
  const [layer, setLayer] = useState<"rotate" | "install">();
  const { reason } = usePermission("authorities:write");
  const queries = useQueryClient();
  const rotate = useMutation(AuthorityService.method.rotateAuthority);
  const close = () => setLayer(undefined);
  const { id, name, issuerId, issuerName, state } = authority;
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
      <Field
        label="Certificate"
        hint="PEM: its certificate, then each CA above it, up to and with the root"
        error={wrongWith(install.error, "certificate_pem")}
      >
        {(field) => (
          <Textarea
            {...field}
            required
            rows={10}
            className="font-mono"
            value={certificatePem}
            onChange={(event) => setPem(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  );
}

function LimitsPanel({ authority: { names, pathLength } }: { authority: Authority }) {
  const list = (texts: readonly string[]) => texts.join(", ");
  const permitted = list([...(names?.permittedDns ?? []), ...(names?.permittedIp ?? [])]);
  const excluded = list([...(names?.excludedDns ?? []), ...(names?.excludedIp ?? [])]);
  return (
    <Panel title="May sign for" note="checked before it signs, with what the CAs above it allow">
      <Facts
        facts={[
          ["Names", permitted || (excluded ? "every name that is not excluded" : "every name")],
          excluded !== "" && ["Never", excluded],
          ["CAs below it", pathLength === undefined ? "any number" : countText(pathLength, "level")],
        ]}
      />
    </Panel>
  );
}

function CrlPanel({ crl }: { crl: NonNullable<Authority["crl"]> }) {
  return (
    <Panel title="Revocation list">
      <Facts
        facts={[
          ["Entries", countText(crl.entries, "certificate")],
          ["Made", <Time key="made" at={crl.thisUpdate} isExact />],
          ["Valid until", <Time key="until" at={crl.nextUpdate} isExact />],
          ["Number", crl.number],
          [
            "Served at",
            crl.url ? <CopyText key="url" text={crl.url} /> : "nowhere: CERTCTL_PKI_URL is not set",
          ],
        ]}
      />
    </Panel>
  );
}

function FactsPanel({ authority }: { authority: Authority }) {
  const { id, role, issuerId, issuerName, parentId, keyAlgorithm, keyPlace } = authority;
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ["Role", roleText(role)],
          issuerId !== "" && [
            "Signs for",
            <Link key="issuer" to="/issuers/$id" params={{ id: issuerId }} className="hover:text-accent">
              {issuerName}
            </Link>,
          ],
          parentId !== "" && [
            "Signed by",
            <Link key="parent" to="/authorities/$id" params={{ id: parentId }} className="hover:text-accent">
              {parentId}
            </Link>,
          ],
          ["Key", `${keyAlgorithm} ${wordOfValue(KeyPlaceSchema, keyPlace)}`.trim()],
          authority.notBefore && ["Begins", <Time key="begins" at={authority.notBefore} isExact />],
          authority.notAfter && ["Ends", <Time key="ends" at={authority.notAfter} isExact />],
          issuerId !== "" && ["Valid", countText(authority.validCertificates, "certificate")],
          issuerId !== "" && ["Revoked", countText(authority.revokedCertificates, "certificate")],
          ["Id", <CopyText key="id" text={id} />],
          ["Created", <Time key="created" at={authority.createdAt} isExact />],
        ]}
      />
    </Panel>
  );
}
