import type { Certificate } from "#gen/certctl/v1/certificates_pb.ts";

/** How it stands, in one sentence. */
export function StatusSentence({ certificate: { lastError } }: { certificate: Certificate }) {
  return lastError ? <p className="text-fg1">The last issuance failed: {lastError}</p> : null;
}
