import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed, CircleX, TriangleAlert } from "lucide-react";
import { type Certificate, CertificateService } from "#gen/certctl/v1/certificates_pb.ts";
import { ExplanationService } from "#gen/certctl/v1/explain_pb.ts";
import { CertificateBadge, type Look, unknownLook } from "../../status/certificate-status.tsx";
import { Badge } from "../../ui/badge.tsx";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { Facts, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

const looks: Readonly<Record<string, Look>> = {
  proven: { tone: "ok", icon: CircleCheck, word: "Proven" },
  other: { tone: "warn", icon: TriangleAlert, word: "Serves another" },
  nothing: { tone: "bad", icon: CircleX, word: "Serves nothing" },
  unproven: { tone: "muted", icon: CircleDashed, word: "Not seen yet" },
};

/** A certificate that is deployed to a target: what it is to serve there, and what it was last seen to serve. */
export function ServedPanel({ certificate, targetId }: { certificate: Certificate; targetId: string }) {
  const { id, name, status, schedule } = certificate;
  const explained = useQuery(ExplanationService.method.explainCertificate, { id }).data?.explanation;
  const here = explained?.targets.find((target) => target.targetId === targetId);
  const versions = useQuery(CertificateService.method.listCertificateVersions, { id, perPage: 50 }).data
    ?.data;
  const expected = versions?.find(({ number }) => number === here?.expectedVersion)?.fingerprintSha256;
  const look = looks[here?.state ?? ""] ?? unknownLook;
  return (
    <Panel
      title={
        <Link to="/certificates/$id" params={{ id }} className="hover:text-accent">
          {name}
        </Link>
      }
      note={<CertificateBadge status={status} schedule={schedule} />}
      actions={
        here && (
          <Badge tone={look.tone} icon={look.icon}>
            {look.word}
          </Badge>
        )
      }
    >
      <Facts
        facts={[
          ["Expected", <Version key="expected" number={here?.expectedVersion ?? 0} print={expected ?? ""} />],
          [
            "Served",
            here?.servedFingerprintSha256 ? (
              <Version key="served" number={here.servedVersion} print={here.servedFingerprintSha256} />
            ) : (
              "nothing seen"
            ),
          ],
          ["Last seen", <Time key="seen" at={here?.servedAt} />],
          ["Expires", <Time key="expires" at={certificate.expiresAt} none="not issued" />],
        ]}
      />
    </Panel>
  );
}

function Version({ number, print }: { number: number; print: string }) {
  return (
    <span className="inline-flex flex-wrap items-center gap-x-3">
      {number > 0 ? `v${number}` : print ? "none of this certificate's" : "nothing issued yet"}
      {print && <CopyText text={print} shown={shortHex(print, 32)} />}
    </span>
  );
}
