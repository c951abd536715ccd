import type { DescField, DescMessage } from "@bufbuild/protobuf";

/** What of a resource a table shows, where its first short fields are not the best choice. */
const chosen: Record<string, string> = {
  Agent: "id name status hostname version last_heartbeat_at",
  ApiKey: "id name role status team_ids issuer_ids expires_at last_used_at",
  Certificate: "id name common_name status issuer_id expires_at renew_at",
  CertificateVersion: "id number agent_id serial_number not_before not_after current",
  ForecastDay: "date renewals expiring",
  Issuer: "id name kind enabled certificate_count created_at",
  Job: "id type status outcome certificate_id target_id attempts created_at",
  JobCause: "id type failure_class step message jobs retryable certificates last_at",
  JobEvent: "at attempt step message",
  JourneySummary: "renewal_id state outcome started_at ended_at issued proven targets error",
  JourneyStage: "step state started_at duration_ms expected_ms message",
  JourneyTrack: "agent_name target_name state job_id served_fingerprint_sha256",
  Notification: "id created_at severity status notifier_id subject",
  NotificationGroup: "id state count unread snoozed_until acknowledged_by newest",
  Notifier: "id name kind enabled default_recipient updated_at",
  Operation: "id kind status total done skipped failed created_at",
  OperationItem: "certificate_id certificate_name status job_ids message",
  PolicyChannel: "notifier_id thresholds_days events",
  PolicyRule: "id name type severity mode enabled open_violations",
  PolicyViolation: "id severity rule_name certificate_id message opened_at closed_at",
  SavedView: "id name resource query shared pinned count",
  ScheduledTask: "name interval_seconds last_started_at next_run_at failures last_error last_result",
  Deployment: "target_id agent_id version_id version_number expected_version_number proven served_at",
  TrustMapNode: "id name certificates problems",
  Target: "id name kind agent_id config updated_at",
};

const mostColumns = 7;

/** The fields of a message that make the columns of its table. */
export function columnsOf(desc: DescMessage): DescField[] {
  const names = chosen[desc.name];
  if (names) return names.split(" ").flatMap((name) => desc.fields.filter((field) => field.name === name));
  return desc.fields.filter(isShort).slice(0, mostColumns);
}

function isShort({ name, fieldKind, message }: DescField): boolean {
  if (/(pem|sha256)$/.test(name)) return false;
  return fieldKind === "scalar" || fieldKind === "enum" || message?.typeName === "google.protobuf.Timestamp";
}
