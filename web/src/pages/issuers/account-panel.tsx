import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { type Issuer, IssuerService } from "#gen/certctl/v1/issuers_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { usePermission } from "../../session/session.ts";
import { State } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { CopyText } from "../../ui/copy.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Facts, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

/** What the issuer is to its CA, and by which key it is known there. */
export function AccountPanel({ issuer: { id, name } }: { issuer: Issuer }) {
  const [layer, setLayer] = useState<"change" | "close">();
  const { reason } = usePermission("issuers:write");
  const queries = useQueryClient();
  const read = useQuery(IssuerService.method.getIssuerAccount, { id });
  const change = useMutation(IssuerService.method.changeIssuerAccountKey);
  const close = useMutation(IssuerService.method.closeIssuerAccount);
  const account = read.data?.account;
  if (read.error && !read.data)
    return <ErrorCard error={read.error} what="its account" onRetry={() => void read.refetch()} />;
  const none = reason ?? (account ? undefined : "The first order registers one");
  // What was begun shows, even where the CA did not answer.
  const performed = async (call: Promise<unknown>) => {
    try {
      await call;
    } finally {
      await refresh(queries, IssuerService);
    }
  };
  return (
    <Panel
      title="Account"
      note="what this issuer is to its CA"
      actions={
        <>
          <Button isSmall disabledReason={none} onClick={() => setLayer("change")}>
            Change key…
          </Button>
          <Button isSmall disabledReason={none} onClick={() => setLayer("close")}>
            Close account…
          </Button>
        </>
      }
    >
      {account ? (
        <div className="flex flex-col gap-3">
          {account.keyChanging && (
            <State tone="warn" icon={TriangleAlert}>
              <span className="whitespace-normal">
                A change of its key is not over: the CA knows it by the old key or the new one. Change it
                again
              </span>
            </State>
          )}
          {account.closing && (
            <State tone="warn" icon={TriangleAlert}>
              <span className="whitespace-normal">
                It is being closed, and nothing is ordered meanwhile. Close it again
              </span>
            </State>
          )}
          <Facts
            facts={[
              ["Address", <CopyText key="url" text={account.url} />],
              ["Key", <CopyText key="key" text={account.keyThumbprint} />],
              ["Key made", <Time key="made" at={account.keyMadeAt} isExact none="not known" />],
              ["Contacts", account.contactEmails.join(", ") || "none"],
            ]}
          />
        </div>
      ) : (
        <p className="text-fg1">None is registered: the first order does that.</p>
      )}
      {layer === "change" && (
        <Confirm
          title={`Change the account key of ${name}`}
          action="Change 1 key"
          onClose={() => setLayer(undefined)}
          onConfirm={() => performed(change.mutateAsync({ id }))}
        >
          <p>
            A new key is made and stored sealed, and the CA is asked to know the account by it. The old key is
            worth nothing from then on. Account, orders and certificates stay as they are; an order that is
            under way at this moment is tried again.
          </p>
        </Confirm>
      )}
      {layer === "close" && (
        <Confirm
          title={`Close the account of ${name}`}
          action="Close 1 account"
          isDangerous
          typedName={name}
          onClose={() => setLayer(undefined)}
          onConfirm={() => performed(close.mutateAsync({ id }))}
        >
          <p>
            The CA closes it for good: orders that are open there come to nothing. Certificates stay valid,
            and the next order registers another account with a key of its own; where the CA wants an external
            account binding, that has to be a new one.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}
