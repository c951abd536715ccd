import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { type Issuer, IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { usePermission } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { Facts, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";

/** Who signs while this issuer fails, and whether that one is known to work. */
export function StandbyPanel({ issuer }: { issuer: Issuer }) {
  const [isOpen, setOpen] = useState(false);
  const { reason } = usePermission("issuers:write");
  const { standbyIssuerId, standbyIssuerName, standbyAfter, canaryCertificateId } = issuer;
  return (
    <Panel
      title="Standby"
      note="who signs while this issuer fails"
      actions={
        <Button
          isSmall
          disabledReason={reason ?? (issuer.archivedAt ? "Restore it first" : undefined)}
          onClick={() => setOpen(true)}
        >
          {standbyIssuerId ? "Change…" : "Name a standby…"}
        </Button>
      }
    >
      {standbyIssuerId ? (
        <Facts
          facts={[
            [
              "Issuer",
              <Link
                key="standby"
                to="/issuers/$id"
                params={{ id: standbyIssuerId }}
                className="hover:text-accent"
              >
                {standbyIssuerName}
              </Link>,
            ],
            ["Asked after", countText(standbyAfter, "failure")],
            [
              "Canary",
              canaryCertificateId ? (
                <Link
                  key="canary"
                  to="/certificates/$id"
                  params={{ id: canaryCertificateId }}
                  className="hover:text-accent"
                >
                  {canaryCertificateId}
                </Link>
              ) : (
                "none: nothing shows that the standby works"
              ),
            ],
            canaryCertificateId !== "" && [
              "Last signed",
              issuer.canaryIssuedAt ? (
                <Time key="signed" at={issuer.canaryIssuedAt} />
              ) : (
                "never; it is renewed with the next check"
              ),
            ],
            canaryCertificateId !== "" && ["Signed every", countText(issuer.canaryEveryDays, "day")],
            issuer.canaryProblem !== "" && [
              "Problem",
              <span key="problem" className="tone-bad tone-text">
                {issuer.canaryProblem}
              </span>,
            ],
          ]}
        />
      ) : (
        <p className="text-fg1">None: renewals wait until this issuer answers again.</p>
      )}
      {isOpen && <StandbyForm issuer={issuer} onClose={() => setOpen(false)} />}
    </Panel>
  );
}

function StandbyForm({ issuer, onClose }: { issuer: Issuer; onClose(): void }) {
  const [standby, setStandby] = useState(issuer.standbyIssuerId);
  const [after, setAfter] = useState(issuer.standbyAfter);
  const [canary, setCanary] = useState(issuer.canaryCertificateId);
  const [days, setDays] = useState(issuer.canaryEveryDays);
  const queries = useQueryClient();
  const issuers = useQuery(IssuerService.method.listIssuers, { perPage: 500, sort: "name" });
  const certificates = useQuery(
    CertificateService.method.listCertificates,
    { issuerId: standby, perPage: 100, sort: "name" },
    { enabled: standby !== "" },
  );
  const save = useMutation(IssuerService.method.setIssuerStandby);
  const others = (issuers.data?.data ?? []).filter(({ id }) => id !== issuer.id);
  return (
    <FormDialog
      title={`Standby of ${issuer.name}`}
      action="Save"
      error={save.error}
      isPending={save.isPending}
      onClose={onClose}
      onSubmit={async () => {
        await save.mutateAsync({
          id: issuer.id,
          standbyIssuerId: standby,
          standbyAfter: after,
          canaryCertificateId: standby === "" ? "" : canary,
          canaryEveryDays: days,
        });
        await refresh(queries, IssuerService);
        onClose();
      }}
    >
      <Field label="Standby" hint="Certificates keep their issuer: their next renewal asks it first again">
        {(field) => (
          <Select
            {...field}
            value={standby}
            onChange={(event) => {
              setStandby(event.target.value);
              setCanary("");
            }}
          >
            <option value="">None</option>
            {others.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {standby !== "" && (
        <>
          <Field label="Asked after" hint="Failures of one order: network, rate limit, or the CA's verdict">
            {(field) => (
              <Input
                {...field}
                type="number"
                min={1}
                max={20}
                value={after}
                onChange={(event) => setAfter(event.target.valueAsNumber || 0)}
              />
            )}
          </Field>
          <Field
            label="Canary"
            isOptional
            hint="A certificate of the standby, renewed again and again, so that the standby is known to work"
          >
            {(field) => (
              <Select {...field} value={canary} onChange={(event) => setCanary(event.target.value)}>
                <option value="">None</option>
                {(certificates.data?.data ?? []).map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          {canary !== "" && (
            <Field label="Signed every" hint="Days">
              {(field) => (
                <Input
                  {...field}
                  type="number"
                  min={1}
                  max={90}
                  value={days}
                  onChange={(event) => setDays(event.target.valueAsNumber || 0)}
                />
              )}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}
