import { timestampDate } from "@bufbuild/protobuf/wkt";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import {
  type Certificate,
  CertificateService,
  type CertificateVersion,
} from "#gen/certctl/v1/certificates_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { TargetService } from "#gen/certctl/v1/targets_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { useNow } from "../../clock/now.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { shortHex } from "../../ui/copy.tsx";
import { Time } from "../../ui/time.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { JobsQueued } from "./jobs-queued.tsx";

interface RollBackProps {
  certificate: Certificate;
  version: CertificateVersion;
  onClose(): void;
}

/** Serves an older version again, with the key that its agent still holds. Shows first what each target would serve. */
export function RollBack({ certificate: { id }, version, onClose }: RollBackProps) {
  const queries = useQueryClient();
  const now = useNow();
  const targets = useQuery(TargetService.method.listTargets, { certificateId: id, perPage: 500 });
  const deployments = useQuery(CertificateService.method.listCertificateDeployments, { id });
  const deploy = useMutation(CertificateService.method.deployCertificate);
  const served = new Map(deployments.data?.data.map((each) => [each.targetId, each.servedFingerprintSha256]));
  // A key is on one agent: only its targets can serve the version.
  const reached = (targets.data?.data ?? []).filter(({ agentId }) => agentId === version.agentId);
  const isExpired = version.notAfter !== undefined && timestampDate(version.notAfter) < now;
  return (
    <Confirm
      title="Roll back to an older version"
      action={`Roll ${countText(reached.length, "target")} back`}
      isDangerous
      onClose={onClose}
      onConfirm={async () => {
        const targetIds = reached.map((target) => target.id);
        const { jobIds } = await deploy.mutateAsync({ id, versionId: version.id, targetIds });
        toast(<JobsQueued what="Rollback" jobIds={jobIds} />);
        await refresh(queries, CertificateService, JobService);
      }}
    >
      <p>
        Version {version.number} with the serial{" "}
        <span className="font-mono text-sm">{shortHex(version.serialNumber)}</span>, which{" "}
        {isExpired ? "expired" : "expires"} <Time at={version.notAfter} />, is put back in place, proven by
        handshakes, and stays until the next renewal.
      </p>
      {isExpired && (
        <p className="tone-bad tone-text">
          It has expired: clients will refuse what these targets then serve.
        </p>
      )}
      <table className="w-full text-left">
        <thead>
          <tr className="border-line1 border-b text-fg2 text-sm">
            <th className="py-1 font-medium">Target</th>
            <th className="font-medium">Serves now</th>
            <th className="font-medium">Will serve</th>
          </tr>
        </thead>
        <tbody>
          {reached.map((target) => (
            <tr key={target.id} className="border-line1 border-b">
              <td className="py-1.5">{target.name}</td>
              <td className="font-mono text-sm">{shortHex(served.get(target.id) || "–", 12)}</td>
              <td className="font-mono text-sm">{shortHex(version.fingerprintSha256, 12)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {targets.data && reached.length < targets.data.data.length && (
        <p className="text-fg2">
          {countText(targets.data.data.length - reached.length, "other target")} on other agents keep what
          they serve: the key of this version is on {version.agentId} alone.
        </p>
      )}
    </Confirm>
  );
}
