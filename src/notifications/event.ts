import type { Fact, Notice } from "../notifiers/notifier.ts";

/** What happens to one certificate and is worth telling. */
export type CertificateEvent = { certificateId: string } & (
  | {
      type: "CertificateExpiring";
      versionId: string;
      thresholdDays: number;
      notAfter: Date;
      renewAt: Date | null;
    }
  | { type: "CertificateIssued"; versionId: string; serial: string; notAfter: Date }
  | { type: "CertificateRevoked"; versionId: string; serial: string; reason: string }
  | { type: "StandbyUsed"; issuerName: string; standbyName: string; error: string }
  | { type: "RevocationFailed"; jobId: string; error: string }
  | { type: "RenewalFailed"; jobId: string; error: string }
  | { type: "DeploymentProven"; jobId: string; targetId: string }
  | { type: "DeploymentFailed"; jobId: string; targetId: string; error: string }
  | {
      type: "TargetDrifted";
      targetId: string;
      /** SHA-256 of the leaf that was proven there. */
      expected: string;
      /** SHA-256 of the leaf that is served; empty: nothing is. */
      served: string;
      /** False: it serves again what was proven there. */
      isOpen: boolean;
      /** What certctl does about it, or why it does nothing; empty: its policy leaves it to people. */
      healing: string;
    }
  | {
      type: "PolicyViolation";
      ruleId: string;
      ruleName: string;
      severity: "Warning" | "Error" | "Critical";
      message: string;
      /** False: it no longer holds. */
      isOpen: boolean;
    }
);

/** What happens to an agent. */
export interface AgentEvent {
  type: "AgentOffline";
  agentId: string;
  lastSeenAt: Date | null;
  /** True: it is back. */
  isBack: boolean;
}

/** More early renewals than may be made without a person's yes. */
export interface HeldEvent {
  type: "RenewalsHeld";
  operationId: string;
  reason: string;
}

export type LifecycleEvent = CertificateEvent | AgentEvent | HeldEvent;

/** An event in words, still without channel and recipient. */
export type Telling = Pick<Notice, "severity" | "effect" | "subject" | "message" | "facts" | "incidentKey">;

/** What a certificate is called. */
export interface CertificateName {
  id: string;
  name: string;
  commonName: string;
}

const dayMs = 86_400_000;

export function tellCertificateEvent(
  event: CertificateEvent,
  { id, name, commonName }: CertificateName,
  now: Date,
): Telling {
  const label = commonName || name;
  const about: Fact = { name: "Certificate", value: `${name} (${id})` };
  const renewal = `${id}/renewal`;
  switch (event.type) {
    case "CertificateExpiring":
      return { ...tellExpiry(event, label, about, now), incidentKey: renewal };
    case "CertificateIssued":
      return {
        severity: "Info",
        effect: "resolve",
        subject: `${label} has a new certificate`,
        message: `A certificate was issued for ${label}. It is valid until ${event.notAfter.toISOString()}.`,
        facts: [about, { name: "Serial", value: event.serial }, until(event.notAfter)],
        incidentKey: renewal,
      };
    case "CertificateRevoked":
      return {
        severity: "Warning",
        effect: "inform",
        subject: `A certificate of ${label} was revoked`,
        message: `The certificate with the serial number ${event.serial} of ${label} was revoked: ${event.reason}.`,
        facts: [about, { name: "Serial", value: event.serial }, { name: "Reason", value: event.reason }],
        incidentKey: `${id}/revocation`,
      };
    case "StandbyUsed":
      return {
        severity: "Warning",
        effect: "inform",
        subject: `${event.standbyName} signs for ${label}, because ${event.issuerName} failed`,
        message: `${event.issuerName} failed with: ${event.error} The next renewal asks it again.`,
        facts: [
          about,
          { name: "Issuer", value: event.issuerName },
          { name: "Standby", value: event.standbyName },
        ],
        incidentKey: `${id}/standby`,
      };
    case "RevocationFailed":
      return {
        severity: "Critical",
        effect: "trigger",
        subject: `A certificate of ${label} could not be revoked`,
        message: `No further attempt is planned. The last one failed with: ${event.error}`,
        facts: [about, { name: "Job", value: event.jobId }, { name: "Error", value: event.error }],
        incidentKey: `${id}/revocation`,
      };
    case "RenewalFailed":
      return {
        severity: "Critical",
        effect: "trigger",
        subject: `The renewal of ${label} failed`,
        message: `No further attempt is planned. The last one failed with: ${event.error}`,
        facts: [about, { name: "Job", value: event.jobId }, { name: "Error", value: event.error }],
        incidentKey: renewal,
      };
    case "DeploymentProven":
      return {
        severity: "Info",
        effect: "resolve",
        subject: `${label} is served on ${event.targetId}`,
        message: `Three handshakes running showed the new certificate of ${label} on ${event.targetId}.`,
        facts: [about, { name: "Target", value: event.targetId }, { name: "Job", value: event.jobId }],
        incidentKey: `${id}/deployment/${event.targetId}`,
      };
    case "DeploymentFailed":
      return {
        severity: "Critical",
        effect: "trigger",
        subject: `${label} could not be deployed to ${event.targetId}`,
        message: `No further attempt is planned. The last one failed with: ${event.error}`,
        facts: [
          about,
          { name: "Target", value: event.targetId },
          { name: "Job", value: event.jobId },
          { name: "Error", value: event.error },
        ],
        incidentKey: `${id}/deployment/${event.targetId}`,
      };
    case "TargetDrifted":
      return tellDrift(event, label, about);
    case "PolicyViolation":
      return {
        severity: !event.isOpen ? "Info" : event.severity === "Critical" ? "Critical" : "Warning",
        effect: event.isOpen ? "trigger" : "resolve",
        subject: `${label} ${event.isOpen ? "violates" : "no longer violates"} ${event.ruleName}`,
        message: event.message,
        facts: [
          about,
          { name: "Rule", value: `${event.ruleName} (${event.ruleId})` },
          { name: "Severity", value: event.severity },
        ],
        incidentKey: `${id}/policy/${event.ruleId}`,
      };
  }
}

export function tellAgentEvent({ agentId, lastSeenAt, isBack }: AgentEvent, name: string): Telling {
  const seen = lastSeenAt?.toISOString() ?? "never";
  return {
    severity: isBack ? "Info" : "Warning",
    effect: isBack ? "resolve" : "trigger",
    subject: isBack ? `The agent ${name} is back` : `The agent ${name} is offline`,
    message: isBack
      ? `The agent ${name} answers again; what it missed is given out to it now.`
      : `The agent ${name} was last seen: ${seen}. Nothing is renewed or deployed there until it is back.`,
    facts: [
      { name: "Agent", value: `${name} (${agentId})` },
      { name: "Last seen", value: seen },
    ],
    incidentKey: `${agentId}/offline`,
  };
}

export function tellHeldEvent({ operationId, reason }: HeldEvent): Telling {
  return {
    severity: "Critical",
    effect: "trigger",
    subject: "Renewals wait for somebody's yes",
    message: `${reason} Approve or cancel the operation ${operationId}. No certificate is let expire meanwhile.`,
    facts: [{ name: "Operation", value: operationId }],
    incidentKey: `${operationId}/approval`,
  };
}

function tellDrift(
  {
    certificateId,
    targetId,
    expected,
    served,
    isOpen,
    healing,
  }: Extract<CertificateEvent, { type: "TargetDrifted" }>,
  label: string,
  about: Fact,
): Telling {
  const facts: Fact[] = [
    about,
    { name: "Target", value: targetId },
    { name: "Expected", value: expected },
    { name: "Served", value: served || "nothing" },
  ];
  const incidentKey = `${certificateId}/drift/${targetId}`;
  if (!isOpen)
    return {
      severity: "Info",
      effect: "resolve",
      subject: `${targetId} serves the certificate of ${label} again`,
      message: `${targetId} was seen to serve what was proven there.`,
      facts,
      incidentKey,
    };
  const seen = served === "" ? "serves no certificate any more" : "serves another certificate";
  return {
    severity: "Critical",
    effect: "trigger",
    subject: `${targetId} ${seen}, not the one of ${label}`,
    message: `${targetId} ${seen}, though it was proven to serve the one of ${label}. ${
      healing || "Deploy it again, once you know what changed it."
    }`,
    facts,
    incidentKey,
  };
}

function tellExpiry(
  { thresholdDays, notAfter, renewAt }: Extract<CertificateEvent, { type: "CertificateExpiring" }>,
  label: string,
  about: Fact,
  now: Date,
): Omit<Telling, "incidentKey"> {
  const leftMs = notAfter.getTime() - now.getTime();
  const days = Math.floor(leftMs / dayMs);
  const left = days === 0 ? "within a day" : `in ${days} ${days === 1 ? "day" : "days"}`;
  const hasEnded = leftMs <= 0;
  const plan = renewAt
    ? `It was to be renewed on ${renewAt.toISOString()} and was not.`
    : "Its renewal policy leaves the renewal to people.";
  return {
    severity: hasEnded || days < 7 ? "Critical" : "Warning",
    effect: "trigger",
    subject: hasEnded ? `${label} has expired` : `${label} expires ${left}`,
    message: `The certificate of ${label} ${hasEnded ? "ended" : "ends"} on ${notAfter.toISOString()}. ${plan}`,
    facts: [about, until(notAfter), { name: "Alert threshold", value: `${thresholdDays} days` }],
  };
}

function until(notAfter: Date): Fact {
  return { name: "Valid until", value: notAfter.toISOString() };
}
