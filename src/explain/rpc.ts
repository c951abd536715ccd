import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  EventChannelSchema,
  type Explanation as ExplanationMessage,
  ExplanationSchema,
  type ExplanationService,
  PlannedAlertSchema,
  RenewalPlanSchema,
  RuleVerdictSchema,
  ServedTargetSchema,
} from "#gen/certctl/v1/explain_pb.ts";
import { FailureClassSchema } from "#gen/certctl/v1/jobs_pb.ts";
import { NotificationTypeSchema } from "#gen/certctl/v1/notifications_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import { renewalInformationMessage } from "../certificates/version-message.ts";
import { timestamps } from "../platform/timestamps.ts";
import { wordsOf } from "../platform/words.ts";
import { type ExplainDeps, type Explanation, explainCertificate } from "./explain.ts";
import { servedState } from "./targets.ts";
import type { ToldChannel } from "./told.ts";

const failureClasses = wordsOf(FailureClassSchema);
const events = wordsOf(NotificationTypeSchema);

export function explanationService(
  deps: ExplainDeps & {
    /** Renewals that fall due together are spread over this time. */
    jitterMs: number;
  },
): ServiceImpl<typeof ExplanationService> {
  return {
    async explainCertificate({ id }, context) {
      const explanation = await explainCertificate(deps, callerOf(context).grants, id);
      return { explanation: message(explanation, deps) };
    },
  };
}

function message(
  { certificateId, sentence, next, plan, targets, rules, alerts, channels, runway, at }: Explanation,
  deps: { jitterMs: number; checkEveryMs: number },
): ExplanationMessage {
  return create(ExplanationSchema, {
    certificateId,
    sentence,
    next: {
      kind: next.kind,
      text: next.text,
      jobId: next.jobId,
      operationId: next.operationId,
      ...timestamps({ at: next.at }),
    },
    ...(plan ? { plan: planMessage(plan, deps) } : {}),
    targets: targets.map((target) =>
      create(ServedTargetSchema, {
        targetId: target.id,
        targetName: target.name,
        state: servedState(target),
        expectedVersion: target.expectedNumber ?? 0,
        servedVersion: target.servedNumber ?? 0,
        servedFingerprintSha256: target.servedFingerprint ?? "",
        ...timestamps({ servedAt: target.servedAt }),
      }),
    ),
    rules: rules.map(({ id, name, severity, mode, message: wrong }) =>
      create(RuleVerdictSchema, {
        ruleId: id,
        ruleName: name,
        severity,
        mode,
        holds: wrong === "",
        message: wrong,
      }),
    ),
    alerts: alerts.map(({ thresholdDays, at: crossedAt, through, toldAt, isOvertaken }) =>
      create(PlannedAlertSchema, {
        thresholdDays,
        at: timestampFromDate(crossedAt),
        ...timestamps({ toldAt }),
        overtaken: isOvertaken,
        ...(through ? channelFields(through) : { obstacle: "no channel is told of this threshold" }),
      }),
    ),
    channels: channels.map((channel) =>
      create(EventChannelSchema, { ...channelFields(channel), events: channel.events.map(events.value) }),
    ),
    runway: {
      attempts: runway.attempts,
      text: runway.text,
      failureClass: failureClasses.value(runway.failureClass),
      ...timestamps({ firstAt: runway.firstAt, lastAt: runway.lastAt }),
    },
    at: timestampFromDate(at),
  });
}

function planMessage(
  plan: NonNullable<Explanation["plan"]>,
  { jitterMs, checkEveryMs }: { jitterMs: number; checkEveryMs: number },
) {
  return create(RenewalPlanSchema, {
    text: plan.text,
    ...timestamps({
      renewAt: plan.renewAt,
      notBefore: plan.notBefore,
      notAfter: plan.notAfter,
      plannedAtIssuance: plan.plannedAtIssuance,
    }),
    lifetimeSeconds: Math.round(plan.lifetimeMs / 1_000),
    renewalPolicyId: plan.policy.id,
    renewalPolicyName: plan.policy.name,
    windowDays: plan.windowDays,
    effectiveWindowSeconds: Math.round(plan.windowMs / 1_000),
    capped: plan.isCapped,
    autoRenew: plan.policy.autoRenew,
    jitterSeconds: Math.round(jitterMs / 1_000),
    checkEverySeconds: Math.round(checkEveryMs / 1_000),
    ...(plan.said && {
      renewalInformation: renewalInformationMessage(plan.said),
      renewalInformationVersionId: plan.said.id,
    }),
  });
}

function channelFields({ notifierId, name, kind, recipient, obstacle }: ToldChannel) {
  return { notifierId, notifierName: name, channel: kind, recipient, obstacle };
}
