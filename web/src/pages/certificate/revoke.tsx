import { timestampDate } from "@bufbuild/protobuf/wkt";
import { useMutation, useQuery } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  type Certificate,
  CertificateService,
  type CertificateVersion,
} from "#gen/certctl/v1/certificates_pb.ts";
import { JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { useNow } from "../../clock/now.ts";
import { firstWish, RevocationFields } from "../../status/revocation-fields.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { Field, Select } from "../../ui/field.tsx";
import { countText } from "../../ui/time-text.ts";
import { toast } from "../../ui/toast.tsx";
import { JobsQueued } from "./jobs-queued.tsx";

interface RevokeProps {
  certificate: Certificate;
  /** The version that was chosen; all that are valid where none was. */
  version?: CertificateVersion | undefined;
  onClose(): void;
}

/** Has one version revoked, or every valid one, and says who serves it still. */
export function Revoke({ certificate: { id, name }, version, onClose }: RevokeProps) {
  const queries = useQueryClient();
  const now = useNow();
  const [wish, setWish] = useState(firstWish);
  const [chosen, setChosen] = useState(version?.id ?? "");
  const versions = useQuery(CertificateService.method.listCertificateVersions, { id, perPage: 100 });
  const deployments = useQuery(CertificateService.method.listCertificateDeployments, { id });
  const revoke = useMutation(CertificateService.method.revokeCertificate);
  const valid = (versions.data?.data ?? []).filter(
    ({ notAfter, revokedAt }) => !revokedAt && notAfter !== undefined && timestampDate(notAfter) > now,
  );
  const meant = valid.filter((each) => chosen === "" || each.id === chosen);
  const servers = (deployments.data?.data ?? []).filter(({ servedFingerprintSha256 }) =>
    meant.some(({ fingerprintSha256 }) => fingerprintSha256 === servedFingerprintSha256),
  );
  return (
    <Confirm
      title={`Revoke a certificate of ${name}`}
      action={`Revoke ${countText(meant.length, "version")}`}
      isDangerous
      onClose={onClose}
      onConfirm={async () => {
        const { jobIds } = await revoke.mutateAsync({ id, versionId: chosen, ...wish });
        toast(<JobsQueued what="Revocation" jobIds={jobIds} />);
        await refresh(queries, CertificateService, JobService);
      }}
    >
      <Field label="What">
        {(field) => (
          <Select {...field} value={chosen} onChange={(event) => setChosen(event.target.value)}>
            <option value="">Every valid version ({valid.length})</option>
            {valid.map((each) => (
              <option key={each.id} value={each.id}>
                v{each.number}
                {each.current ? ", current" : ""}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <RevocationFields wish={wish} onChange={setWish} />
      <p>
        {servers.length === 0
          ? "No target was seen to serve it. A revocation cannot be taken back."
          : `${servers.map(({ targetName, targetId }) => targetName || targetId).join(", ")} ${
              servers.length === 1 ? "serves" : "serve"
            } it still: renew first and let the new version be proven. A revocation cannot be taken back.`}
      </p>
    </Confirm>
  );
}
