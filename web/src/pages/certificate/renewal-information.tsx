import { Link } from "@tanstack/react-router";
import { CircleCheck, TriangleAlert } from "lucide-react";
import type { Explanation } from "#gen/certctl/v1/explain_pb.ts";
import { State } from "../../ui/badge.tsx";
import { Facts, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";

/** When the CA wants it renewed, beside the plan of its renewal policy; nothing where the CA says nothing. */
export function RenewalInformationPanel({
  explanation: { certificateId: id, plan },
}: {
  explanation: Explanation;
}) {
  const said = plan?.renewalInformation;
  if (!said) return null;
  const { start, end, renewAt, askedAt, nextPollAt, error, explanationUrl } = said;
  return (
    <Panel title="When its CA wants it renewed" note="ARI, RFC 9773">
      <div className="flex flex-col gap-3">
        {start ? (
          <State tone="ok" icon={CircleCheck}>
            <span className="whitespace-normal">
              The CA named a time: it holds instead of the renewal policy's window
            </span>
          </State>
        ) : (
          <State tone="warn" icon={TriangleAlert}>
            <span className="whitespace-normal">The CA did not say when: the renewal policy rules</span>
          </State>
        )}
        <Facts
          facts={[
            start && ["From", <Time key="start" at={start} isExact />],
            end && ["To", <Time key="end" at={end} isExact />],
            renewAt && ["Chosen in it", <Time key="renew" at={renewAt} isExact />],
            error !== "" && ["The CA's error", error],
            ["Asked", <Time key="asked" at={askedAt} />],
            ["Asked again", <Time key="next" at={nextPollAt} />],
            /^https?:/.test(explanationUrl) && [
              "Why",
              <a
                key="why"
                href={explanationUrl}
                target="_blank"
                rel="noreferrer"
                className="break-all underline decoration-line2 underline-offset-2 hover:text-accent"
              >
                {explanationUrl}
              </a>,
            ],
            [
              "Asked about",
              <Link
                key="version"
                to="/certificates/$id/versions/$version"
                params={{ id, version: plan.renewalInformationVersionId }}
                className="underline decoration-line2 underline-offset-2 hover:text-accent"
              >
                version {plan.renewalInformationVersionId}
              </Link>,
            ],
          ]}
        />
      </div>
    </Panel>
  );
}
