import type { DescField, DescMessage } from "@bufbuild/protobuf";

/** What of a resource a table shows, where its first short fields are not the best choice. */
const chosen: Record<string, readonly string[]> = {
  "certctl.v1.Certificate": ["id", "name", "common_name", "status", "issuer_id", "expires_at", "renew_at"],
  "certctl.v1.CertificateVersion": ["id", "agent_id", "serial_number", "not_before", "not_after", "current"],
  "certctl.v1.Job": [
    "id",
    "type",
    "status",
    "outcome",
    "certificate_id",
    "target_id",
    "attempts",
    "created_at",
  ],
  "certctl.v1.Agent": ["id", "name", "status", "hostname", "version", "last_heartbeat_at"],
};

const mostColumns = 7;

/** The fields of a message that make the columns of its table. */
export function columnsOf(desc: DescMessage): DescField[] {
  const names = chosen[desc.typeName];
  if (names) return names.flatMap((name) => desc.fields.filter((field) => field.name === name));
  return desc.fields.filter(isShort).slice(0, mostColumns);
}

function isShort({ name, fieldKind, message }: DescField): boolean {
  if (/(pem|sha256)$/.test(name)) return false;
  return fieldKind === "scalar" || fieldKind === "enum" || message?.typeName === "google.protobuf.Timestamp";
}
