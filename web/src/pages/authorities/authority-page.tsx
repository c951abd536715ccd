import { useQuery } from "@connectrpc/connect-query";
import { Link, useParams } from "@tanstack/react-router";
import {
  type Authority,
  AuthorityRole,
  AuthorityService,
  KeyPlace,
  KeyPlaceSchema,
} from "#gen/certctl/v1/authorities_pb.ts";
import { AuthorityBadge } from "../../status/authority-state.tsx";
import { wordOfValue } from "../../status/words.ts";
import { CodeBlock, CopyText } from "../../ui/copy.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";
import { AuthorityActions } from "./authority-actions.tsx";
import { RecoveredPanel } from "./recovered-panel.tsx";
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
            <AuthorityActions authority={authority} />
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
              {canSignLeaves(authority) && <RecoveredPanel authority={authority} />}
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

/** Whose certificates certctl revokes. */
function canSignLeaves({ role, keyPlace, certificatePem }: Authority): boolean {
  const isOwn = keyPlace === KeyPlace.DATABASE || keyPlace === KeyPlace.PKCS11;
  return role === AuthorityRole.ISSUING_CA && isOwn && certificatePem !== "";
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
