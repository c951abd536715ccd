import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Archive, ArchiveRestore, Ellipsis, Pencil, PlugZap } from "lucide-react";
import { useState } from "react";
import { type Issuer, type IssuerKind, IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { messageOf } from "../../api/errors.ts";
import { refresh } from "../../api/refresh.ts";
import { TestResult } from "../../forms/test-result.tsx";
import { usePermission } from "../../session/session.ts";
import { EnabledState } from "../../status/enabled-state.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { CodeBlock, CopyText } from "../../ui/copy.tsx";
import { ErrorNote } from "../../ui/error-card.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText, numberText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { AccountPanel } from "./account-panel.tsx";
import { BudgetPanel } from "./budget-panel.tsx";
import { ConfigurationPanel } from "./configuration-panel.tsx";
import { IssuerForm } from "./issuer-form.tsx";
import { StandbyPanel } from "./standby-panel.tsx";
import { WaitingOrders } from "./waiting-orders.tsx";

const parent = { to: "/issuers", label: "Issuers" };

/** One CA: whether it would sign, what its certificates are trusted by, and who uses it. */
export function IssuerPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(IssuerService.method.getIssuer, { id });
  const test = useMutation(IssuerService.method.testIssuer);
  const kinds = useQuery(IssuerService.method.listIssuerKinds, {}).data?.data;
  const { reason } = usePermission("issuers:write");
  const can = (kind: string, ability: string) =>
    kinds?.find((known) => known.kind === kind)?.abilities.includes(ability) === true;
  return (
    <ObjectPage id={id} what="issuer" parent={parent} value={read.data?.issuer} query={read}>
      {(issuer) => (
        <>
          <PageHeader title={issuer.name} parent={parent} badge={<EnabledState {...issuer} />}>
            <Button
              icon={PlugZap}
              isPending={test.isPending}
              disabledReason={reason}
              onClick={() => test.mutate({ id })}
            >
              Test connection
            </Button>
            <IssuerActions issuer={issuer} />
          </PageHeader>
          {test.error && <ErrorNote error={test.error} />}
          {test.data && <TestResult isOk={test.data.ok} message={test.data.message} />}
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <div className="flex min-w-0 flex-col gap-4">
              <WaitingOrders issuerId={id} />
              {can(issuer.kind, "budget") && <BudgetPanel issuerId={id} />}
              {can(issuer.kind, "account") && <AccountPanel issuer={issuer} />}
              <ConfigurationPanel issuer={issuer} kind={kinds?.find(({ kind }) => kind === issuer.kind)} />
              <StandbyPanel issuer={issuer} />
              <Panel title="Trusted by" note="what clients of its certificates have to know">
                {issuer.rootPem ? (
                  <CodeBlock label="the root certificate" text={issuer.rootPem} />
                ) : (
                  <p className="text-fg1">Only an issued certificate tells: look at the chain of one.</p>
                )}
              </Panel>
            </div>
            <IssuerFacts issuer={issuer} kind={kinds?.find(({ kind }) => kind === issuer.kind)} />
          </div>
        </>
      )}
    </ObjectPage>
  );
}

const abilityWords: Readonly<Record<string, string>> = {
  revoke: "revoke",
  later: "sign an order later than it takes it",
  "renewal-information": "say when to renew",
  budget: "be kept within its rate limits",
  account: "know its account by another key",
};

function IssuerFacts({ issuer, kind }: { issuer: Issuer; kind: IssuerKind | undefined }) {
  const abilities = kind?.abilities.map((ability) => abilityWords[ability] ?? ability) ?? [];
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ["Kind", kind?.title ?? issuer.kind],
          kind && ["Can", abilities.length > 0 ? `sign; ${abilities.join("; ")}` : "sign, and nothing else"],
          issuer.caExpiresAt && ["CA expires", <Time key="ca" at={issuer.caExpiresAt} isExact />],
          [
            "Certificates",
            <Link
              key="certificates"
              to="/certificates"
              search={{ issuer: issuer.id } as never}
              className="hover:text-accent"
            >
              {numberText(issuer.certificateCount)}
            </Link>,
          ],
          ["Id", <CopyText key="id" text={issuer.id} />],
          ["Created", <Time key="created" at={issuer.createdAt} isExact />],
          ["Changed", <Time key="updated" at={issuer.updatedAt} isExact />],
          issuer.archivedAt && ["Archived", <Time key="archived" at={issuer.archivedAt} isExact />],
        ]}
      />
    </Panel>
  );
}

function IssuerActions({ issuer }: { issuer: Issuer }) {
  const [layer, setLayer] = useState<"edit" | "archive" | "disable">();
  const { reason } = usePermission("issuers:write");
  const queries = useQueryClient();
  const archive = useMutation(IssuerService.method.deleteIssuer);
  const update = useMutation(IssuerService.method.updateIssuer);
  const restore = useMutation(IssuerService.method.restoreIssuer, {
    onSuccess: () => refresh(queries, IssuerService),
    onError: (error) => toast(messageOf(error)),
  });
  const close = () => setLayer(undefined);
  const { id, name, certificateCount: used, enabled } = issuer;
  const archived = issuer.archivedAt ? "Restore it first" : undefined;
  const setEnabled = async (isEnabled: boolean) => {
    await update.mutateAsync({ id, name, config: issuer.config ?? {}, enabled: isEnabled });
    await refresh(queries, IssuerService);
  };
  return (
    <>
      <Menu trigger={<IconButton icon={Ellipsis} label="More actions" kind="default" />}>
        {enabled ? (
          <MenuItem disabledReason={reason ?? archived} onSelect={() => setLayer("disable")}>
            Disable…
          </MenuItem>
        ) : (
          <MenuItem
            disabledReason={reason ?? archived}
            onSelect={() => void setEnabled(true).catch((error: unknown) => toast(messageOf(error)))}
          >
            Enable
          </MenuItem>
        )}
        {issuer.archivedAt ? (
          <MenuItem icon={ArchiveRestore} disabledReason={reason} onSelect={() => restore.mutate({ id })}>
            Restore
          </MenuItem>
        ) : (
          <MenuItem
            icon={Archive}
            isDangerous
            disabledReason={
              reason ?? (used > 0 ? `${countText(used, "certificate")} signed by it` : undefined)
            }
            onSelect={() => setLayer("archive")}
          >
            Archive…
          </MenuItem>
        )}
      </Menu>
      <Button icon={Pencil} disabledReason={reason ?? archived} onClick={() => setLayer("edit")}>
        Edit
      </Button>
      {layer === "edit" && <IssuerForm issuer={issuer} onClose={close} />}
      {layer === "disable" && (
        <Confirm
          title={`Disable ${name}`}
          action="Disable 1 issuer"
          isDangerous
          onClose={close}
          onConfirm={() => setEnabled(false)}
        >
          <p>
            It signs nothing any more: renewals of {countText(used, "certificate")} are refused, and issuances
            that are under way fail. What is served stays served.
          </p>
        </Confirm>
      )}
      {layer === "archive" && (
        <Confirm
          title={`Archive ${name}`}
          action="Archive 1 issuer"
          isDangerous
          onClose={close}
          onConfirm={async () => {
            await archive.mutateAsync({ id });
            await refresh(queries, IssuerService);
          }}
        >
          <p>No certificate is signed by it. It leaves the lists and can be restored.</p>
        </Confirm>
      )}
    </>
  );
}
