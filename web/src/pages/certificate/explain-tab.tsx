import { useQuery } from "@connectrpc/connect-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleX, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { type Explanation, ExplanationService } from "#gen/certctl/v1/explain_pb.ts";
import { NotificationTypeSchema } from "#gen/certctl/v1/notifications_pb.ts";
import { readable } from "../../status/words.ts";
import { State } from "../../ui/badge.tsx";
import { Skeleton } from "../../ui/empty-state.tsx";
import { ErrorCard } from "../../ui/error-card.tsx";
import { Facts, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { durationText } from "../../ui/time-text.ts";
import { RenewalInformationPanel } from "./renewal-information.tsx";

/** Why it stands as it does: the inputs of its plan, the rules, whom it is told to, and how often it can still be tried. */
export function ExplainTab({ id }: { id: string }) {
  const read = useQuery(ExplanationService.method.explainCertificate, { id });
  const explanation = read.data?.explanation;
  if (read.error)
    return <ErrorCard error={read.error} what="the explanation" onRetry={() => void read.refetch()} />;
  if (!explanation) return <Skeleton lines={8} />;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <PlanPanel explanation={explanation} />
      <RenewalInformationPanel explanation={explanation} />
      <RulesPanel explanation={explanation} />
      <AlertsPanel explanation={explanation} />
      <ChannelsPanel explanation={explanation} />
    </div>
  );
}

function PlanPanel({ explanation: { plan, runway } }: { explanation: Explanation }) {
  return (
    <Panel title="Why it is renewed then">
      {plan ? (
        <div className="flex flex-col gap-3">
          <p>{plan.text}.</p>
          <Facts
            facts={[
              ["Valid from", <Time key="from" at={plan.notBefore} isExact />],
              ["Planned renewal", <Time key="renew" at={plan.renewAt} isExact none="not by itself" />],
              ["Expires", <Time key="to" at={plan.notAfter} isExact />],
              ["Lifetime", durationText(plan.lifetimeSeconds * 1_000)],
              [
                "Policy",
                <Link
                  key="policy"
                  to="/policies/renewal"
                  className="underline decoration-line2 underline-offset-2 hover:text-accent"
                >
                  {plan.renewalPolicyName}
                </Link>,
              ],
              [
                "Window",
                `${plan.windowDays} d wanted, ${durationText(plan.effectiveWindowSeconds * 1_000)} in effect`,
              ],
              [
                "Spread",
                `within ${durationText(plan.jitterSeconds * 1_000)}, looked for every ${durationText(plan.checkEverySeconds * 1_000)}`,
              ],
              !plan.autoRenew && ["By itself", "no: the policy does not renew"],
            ]}
          />
        </div>
      ) : (
        <p className="text-fg2">Nothing was issued yet, so nothing is planned.</p>
      )}
      {runway?.text && <p className="mt-3 border-line1 border-t pt-3 text-fg1">{runway.text}.</p>}
    </Panel>
  );
}

function RulesPanel({ explanation: { rules } }: { explanation: Explanation }) {
  return (
    <Panel title="Policy rules" note={rules.length === 0 ? "none in force" : undefined}>
      <ul className="flex flex-col gap-2">
        {rules.map(({ ruleId, ruleName, holds, message, severity, mode }) => (
          <li key={ruleId}>
            <State
              tone={holds ? "ok" : severity === "Warning" ? "warn" : "bad"}
              icon={holds ? CircleCheck : CircleX}
            >
              <Link to="/policies/$id" params={{ id: ruleId }} className="hover:text-accent">
                {ruleName}
              </Link>
              <span className="text-fg2 text-sm">
                {severity.toLowerCase()}, {mode === "enforce" ? "enforced" : "audited"}
              </span>
            </State>
            {message && <p className="pl-5 text-fg1">{message}</p>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function AlertsPanel({ explanation: { alerts } }: { explanation: Explanation }) {
  return (
    <Panel title="Who is told when it comes close to its end">
      <Lines empty="Nobody: its renewal policy has no thresholds.">
        {alerts.map((alert) => (
          <li key={`${alert.thresholdDays} ${alert.notifierId}`} className="flex flex-wrap gap-x-3">
            <span className="w-16 text-fg2">{alert.thresholdDays} d</span>
            <span className="min-w-0 flex-1">
              {alert.notifierName || "Nobody"}
              {alert.recipient && <span className="text-fg2"> to {alert.recipient}</span>}
              <Obstacle text={alert.obstacle} />
            </span>
            <span className="text-fg2">
              {alert.toldAt ? (
                <>
                  told <Time at={alert.toldAt} />
                </>
              ) : (
                <Time at={alert.at} />
              )}
            </span>
          </li>
        ))}
      </Lines>
    </Panel>
  );
}

function ChannelsPanel({ explanation: { channels } }: { explanation: Explanation }) {
  return (
    <Panel title="Who is told of what happens to it">
      <Lines empty="Nobody: no channel is configured for it.">
        {channels.map((channel) => (
          <li key={channel.notifierId}>
            {channel.notifierName}
            {channel.recipient && <span className="text-fg2"> to {channel.recipient}</span>}
            <span className="block text-fg2 text-sm">
              {channel.events.map((event) => readable(NotificationTypeSchema, event)).join(", ")}
            </span>
            <Obstacle text={channel.obstacle} />
          </li>
        ))}
      </Lines>
    </Panel>
  );
}

function Obstacle({ text }: { text: string }) {
  if (!text) return null;
  return (
    <span className="block">
      <State tone="warn" icon={TriangleAlert}>
        <span className="whitespace-normal">{text}</span>
      </State>
    </span>
  );
}

function Lines({ children, empty }: { children: readonly ReactNode[]; empty: string }) {
  return children.length === 0 ? (
    <p className="text-fg2">{empty}</p>
  ) : (
    <ul className="flex flex-col gap-2">{children}</ul>
  );
}
