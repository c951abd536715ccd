import { describe, expect, test } from "vitest";
import { CertificateService, CertificateStatus } from "#gen/certctl/v1/certificates_pb.ts";
import { OperationKind, OperationService } from "#gen/certctl/v1/operations_pb.ts";
import { asCommand, asCurl } from "./copy-as.ts";

const origin = "https://certctl.example:8443";

describe("copy as", () => {
  test("writes a filtered list", () => {
    const input = { status: [CertificateStatus.EXPIRED, CertificateStatus.EXPIRING], q: "it's", perPage: 50 };
    expect(asCommand(CertificateService.method.listCertificates, input)).toBe(
      "certctl certs list --per-page 50 --status Expired --status Expiring --q 'it'\\''s'",
    );
    expect(asCurl(CertificateService.method.listCertificates, input, origin)).toBe(
      `curl -sS --cacert ca.pem -H "Authorization: Bearer $CERTCTL_API_KEY" 'https://certctl.example:8443/api/v1/certificates?per_page=50&status=Expired&status=Expiring&q=it%27s'`,
    );
  });

  test("writes an action with its path and its body", () => {
    expect(asCommand(CertificateService.method.renewCertificate, { id: "mc-shop" })).toBe(
      "certctl certs renew mc-shop",
    );
    const input = { kind: OperationKind.RENEW, filter: { environment: "staging" }, expectedTotal: 12 };
    expect(asCommand(OperationService.method.createOperation, input)).toBe(
      `certctl operations create --kind Renew --filter '{"environment":"staging"}' --expected-total 12`,
    );
    expect(asCurl(CertificateService.method.renewCertificate, { id: "mc-shop" }, origin)).toContain(
      "-X POST -H 'Content-Type: application/json' -d '{}' https://certctl.example:8443/api/v1/certificates/mc-shop/renew",
    );
  });
});
