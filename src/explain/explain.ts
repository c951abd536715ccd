import type { Grants } from "../auth/grants.ts";
import { planRenewal } from "../certificates/plan.ts";
import { isRenewedNext } from "../certificates/renewed-versions.ts";
import type { SaidOfRenewal } from "../certificates/version-message.ts";
import { findCertificate } from "../certificates/view.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { failureClasses } from "../platform/failure.ts";
import { type Verdict, verdictsOn } from "../policies/verdicts.ts";
import { counted, inWords } from "./in-words.ts";
import { lastFailureClass, type NextAction, nextAction, openIssuance, readAhead } from "./next.ts";
import { type Runway, runwayOf } from "./runway.ts";
import { sentenceOf } from "./sentence.ts";
import { type ServedTarget, servedTargets } from "./targets.ts";
import { type PlannedAlert, plannedAlerts, type ToldChannel, toldChannels } from "./told.ts";

export interface Explanation {
  certificateId: string;
  sentence: string;
  next: NextAction;
  plan: ExplainedPlan | null;
  targets: ServedTarget[];
  rules: Verdict[];
  alerts: PlannedAlert[];
  channels: ToldChannel[];
  runway: Runway & { text: string; failureClass: string };
  at: Date;
}

/** The inputs of the planned renewal. */
export interface ExplainedPlan {
  text: string;
  notBefore: Date;
  notAfter: Date;
  renewAt: Date;
  plannedAtIssuance: Date;
  lifetimeMs: number;
  windowDays: number;
  windowMs: number;
  isCapped: boolean;
  policy: { id: string; name: string; autoRenew: boolean };
  /** The version whose CA wants it renewed first, or could not be asked; null: no CA says anything. */
  said: WantedVersion | null;
}

/** What its CA says of a version. */
type WantedVersion = SaidOfRenewal & { id: string };

export interface ExplainDeps {
  db: Database;
  clock: () => Date;
  /** How often certctl looks for what is due. */
  checkEveryMs: number;
}

/** Reads how a certificate stands and why. Throws NotFound for one that the grants do not reach. */
export async function explainCertificate(
  deps: ExplainDeps,
  grants: Grants,
  id: string,
): Promise<Explanation> {
  const { db, clock, checkEveryMs } = deps;
  const now = clock();
  const certificate = await findCertificate(db, grants, id, now);
  if (!certificate) throw notFound("certificate", id);
  const policy = await db.renewalPolicy.findUniqueOrThrow({ where: { id: certificate.renewalPolicyId } });
  const version = certificate.fingerprint
    ? await db.certificateVersion.findFirst({
        where: { certificateId: id, fingerprintSha256: certificate.fingerprint },
      })
    : null;
  const [targets, rules, channels, ahead, failureClass, said] = await Promise.all([
    servedTargets(db, id),
    verdictsOn(db, id, now),
    toldChannels(db, id),
    readAhead(db, certificate, now),
    lastFailureClass(db, id),
    wantedFirst(db, id),
  ]);
  const plan = version && planOf(version, policy, said);
  const next = nextAction(certificate, ahead, { autoRenew: policy.autoRenew, checkEveryMs, now });
  const brokenRules = rules.filter(({ message }) => message !== "").length;
  return {
    certificateId: id,
    sentence: sentenceOf({ ...certificate, autoRenew: policy.autoRenew, targets, brokenRules }, now),
    next,
    plan,
    targets,
    rules,
    alerts:
      version && plan ? await plannedAlerts(db, channels, { ...version, renewAt: plan.renewAt }, policy) : [],
    channels,
    runway: runwayFor({ certificate, policy, next, failureClass, open: openIssuance(ahead), now }),
    at: now,
  };
}

/** What of a version its plan depends on. */
interface PlannedVersion {
  notBefore: Date;
  notAfter: Date;
  renewAt: Date;
}

/** Of the versions that the next renewal replaces, what is said of the one that is wanted first. */
async function wantedFirst(db: Database, certificateId: string): Promise<WantedVersion | null> {
  const [first] = await db.$queryRaw<WantedVersion[]>`
    SELECT v.id, v.ari_start AS "ariStart", v.ari_end AS "ariEnd", v.ari_renew_at AS "ariRenewAt", v.ari_poll_at AS "ariPollAt",
      v.ari_asked_at AS "ariAskedAt", v.ari_explanation_url AS "ariExplanationUrl", v.ari_error AS "ariError"
    FROM certificate_versions v JOIN managed_certificates c ON c.id = v.certificate_id
    WHERE c.id = ${certificateId} AND v.revoked_at IS NULL AND (v.ari_renew_at IS NOT NULL OR v.ari_error <> '')
      AND ${isRenewedNext}
    ORDER BY v.ari_renew_at NULLS LAST, v.id LIMIT 1`;
  return first ?? null;
}

function planOf(
  version: PlannedVersion,
  policy: { id: string; name: string; autoRenew: boolean; renewalWindowDays: number },
  said: WantedVersion | null,
): ExplainedPlan {
  const { notBefore, notAfter, renewAt: plannedAtIssuance } = version;
  const { ariStart, ariEnd, ariRenewAt } = said ?? {};
  const windowDays = policy.renewalWindowDays;
  const byPolicy = planRenewal(notBefore, notAfter, windowDays);
  const renewAt = ariRenewAt ?? byPolicy;
  const lifetimeMs = notAfter.getTime() - notBefore.getTime();
  const windowMs = notAfter.getTime() - byPolicy.getTime();
  const isCapped = windowMs < windowDays * 86_400_000;
  const cap = isCapped ? `, but never before two thirds of the life have passed: ${inWords(windowMs)}` : "";
  const wanted = `${inWords(lifetimeMs)} of life; the policy ${policy.name} wants ${windowDays} d before the end${cap}`;
  const text =
    ariStart && ariEnd
      ? `${wanted}; the CA wants it between ${ariStart.toISOString()} and ${ariEnd.toISOString()} (ARI), and that holds`
      : wanted;
  return {
    text,
    notBefore,
    notAfter,
    renewAt,
    plannedAtIssuance,
    lifetimeMs,
    windowDays,
    windowMs,
    isCapped,
    policy,
    said,
  };
}

function runwayFor(known: {
  certificate: { expiresAt: Date | null; renewAt: Date | null; archivedAt: Date | null };
  policy: { maxRetries: number; autoRenew: boolean };
  next: NextAction;
  failureClass: string;
  open: { attempts: number; maxAttempts: number; runAfter: Date } | null;
  now: Date;
}): Explanation["runway"] {
  const { certificate, policy, next, open, now } = known;
  // Until something failed, the waits are those after a failure that passes.
  const failureClass = failureClasses.find((one) => one === known.failureClass) ?? "Network";
  const none = { attempts: 0, ofOpenJob: 0, firstAt: null, lastAt: null, failureClass };
  const { expiresAt } = certificate;
  if (!expiresAt) return { ...none, text: "Nothing is issued that could end" };
  if (expiresAt <= now) return { ...none, text: "It has ended" };
  const isRenewing = policy.autoRenew && certificate.archivedAt === null;
  const from = open
    ? new Date(Math.max(open.runAfter.getTime(), now.getTime()))
    : next.kind === "Renewal"
      ? next.at
      : null;
  if (!from) return { ...none, text: "No attempt is planned" };
  const runway = runwayOf({
    from,
    until: expiresAt,
    made: open?.attempts ?? null,
    perJob: open?.maxAttempts ?? policy.maxRetries + 1,
    failureClass,
    isRenewing,
  });
  const ofOpen = open ? `, ${runway.ofOpenJob} of them in the open job` : "";
  return {
    ...runway,
    failureClass,
    text: `${counted(runway.attempts, "attempt")} fit before its end${ofOpen}`,
  };
}
