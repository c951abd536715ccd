import type { ServiceImpl } from "@connectrpc/connect";
import type {
  RecoveredCertificate,
  RecoveredCertificateService,
} from "#gen/certctl/v1/recovered_certificates_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import type { AuthorityDeps } from "../authorities/keep.ts";
import { revocationReasons } from "../certificates/version-message.ts";
import type { RevocationReason } from "../issuers/issuer.ts";
import { notFound } from "../platform/errors.ts";
import { recoverCertificate } from "./recover.ts";
import { revokeRecovered } from "./revoke.ts";
import { findRecovered, listRecovered } from "./view.ts";

export function recoveredCertificateService(
  deps: AuthorityDeps,
): ServiceImpl<typeof RecoveredCertificateService> {
  async function read(id: string): Promise<{ recoveredCertificate: RecoveredCertificate }> {
    const recoveredCertificate = await findRecovered(deps.db, id);
    if (!recoveredCertificate) throw notFound("recovered certificate", id);
    return { recoveredCertificate };
  }

  return {
    async listRecoveredCertificates(request) {
      const { rows, ...page } = await listRecovered(deps.db, request);
      return { ...page, data: rows };
    },
    async getRecoveredCertificate({ id }) {
      return read(id);
    },
    async createRecoveredCertificate({ certificatePem }, context) {
      return read(await recoverCertificate(deps, callerOf(context), certificatePem));
    },
    async revokeRecoveredCertificate({ id, reason }, context) {
      const word = revocationReasons.text(reason) as RevocationReason;
      await revokeRecovered(deps, callerOf(context), { id, reason: word });
      return read(id);
    },
  };
}
