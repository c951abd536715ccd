import { Link } from "@tanstack/react-router";
import { type Certificate, KeyAlgorithmSchema } from "#gen/certctl/v1/certificates_pb.ts";
import { nameOf, useNames } from "../../names/names.ts";
import { wordOfValue } from "../../status/words.ts";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { Facts, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

/** What it is, beside everything else. */
export function CertificateFacts({ certificate }: { certificate: Certificate }) {
  const names = useNames();
  const { id, commonName, sans, issuerId, ownerId, teamId, renewalPolicyId, environment, tags } = certificate;
  const linkClass = "hover:text-accent underline decoration-line2 underline-offset-2";
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          ["Common name", commonName],
          sans.length > 0 && ["Names", <SanList key="names" sans={sans} />],
          ["Expires", <Time key="expires" at={certificate.expiresAt} isExact none="not issued" />],
          [
            "Renews",
            <span key="renews">
              <Time at={certificate.renewAt} isExact none="not planned" />
              {certificate.renewsWhenCaWants && (
                <Link
                  to="/certificates/$id/$tab"
                  params={{ id, tab: "explain" }}
                  className={`${linkClass} block text-fg2`}
                >
                  when its CA wants it (ARI)
                </Link>
              )}
            </span>,
          ],
          [
            "Issuer",
            <Link key="issuer" to="/issuers/$id" params={{ id: issuerId }} className={linkClass}>
              {nameOf(names.issuers, issuerId)}
            </Link>,
          ],
          [
            "Owner",
            ownerId ? (
              <Link key="owner" to="/owners/$id" params={{ id: ownerId }} className={linkClass}>
                {nameOf(names.owners, ownerId)}
              </Link>
            ) : (
              "nobody"
            ),
          ],
          teamId !== "" && [
            "Team",
            <Link key="team" to="/teams/$id" params={{ id: teamId }} className={linkClass}>
              {nameOf(names.teams, teamId)}
            </Link>,
          ],
          ["Renewal policy", nameOf(names.renewalPolicies, renewalPolicyId)],
          environment !== "" && ["Environment", environment],
          ["Key", wordOfValue(KeyAlgorithmSchema, certificate.keyAlgorithm)],
          ["Valid for", `${certificate.validitySeconds / 86_400} d`],
          certificate.serialNumber !== "" && [
            "Serial",
            <CopyText
              key="serial"
              text={certificate.serialNumber}
              shown={shortHex(certificate.serialNumber, 20)}
            />,
          ],
          certificate.fingerprintSha256 !== "" && [
            "SHA-256",
            <CopyText
              key="print"
              text={certificate.fingerprintSha256}
              shown={shortHex(certificate.fingerprintSha256, 20)}
            />,
          ],
          ...Object.entries(tags).map(([name, value]) => [`Tag ${name}`, value || "–"] as const),
          ["Id", <CopyText key="id" text={id} />],
          ["Created", <Time key="created" at={certificate.createdAt} isExact />],
        ]}
      />
    </Panel>
  );
}

const shownSans = 6;

function SanList({ sans }: { sans: readonly string[] }) {
  const [first, rest] = [sans.slice(0, shownSans), sans.slice(shownSans)];
  return (
    <>
      <ul>
        {first.map((san) => (
          <li key={san} className="break-all">
            {san}
          </li>
        ))}
      </ul>
      {rest.length > 0 && (
        <details>
          <summary className="cursor-pointer rounded-control text-fg2">{rest.length} more</summary>
          <ul>
            {rest.map((san) => (
              <li key={san} className="break-all">
                {san}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
