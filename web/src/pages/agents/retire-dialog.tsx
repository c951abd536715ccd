import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Agent, AgentService } from "#gen/certctl/v1/agents_pb.ts";
import { refresh } from "../../api/refresh.ts";
import { Confirm } from "../../ui/confirm.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { countText } from "../../ui/time-text.ts";

/** Takes an agent out of service, with all that depends on it. */
export function RetireDialog({ agent, onClose }: { agent: Agent; onClose(): void }) {
  const { id, name, targetCount, certificateCount, openJobCount } = agent;
  const [reason, setReason] = useState("");
  const queries = useQueryClient();
  const retire = useMutation(AgentService.method.retireAgent);
  const force = targetCount + certificateCount + openJobCount > 0;
  return (
    <Confirm
      title={`Retire ${name}`}
      action="Retire 1 agent"
      isDangerous
      {...(force && { typedName: name })}
      onClose={onClose}
      onConfirm={async () => {
        await retire.mutateAsync({ id, force, reason });
        await refresh(queries, AgentService);
      }}
    >
      <p>Its credentials end at once, and it is given no work any more.</p>
      {force ? (
        <ul className="list-disc pl-5">
          {openJobCount > 0 && <li>{countText(openJobCount, "open job")} cancelled</li>}
          {targetCount > 0 && (
            <li>{countText(targetCount, "target")} archived; they go on serving what they serve</li>
          )}
          {certificateCount > 0 && (
            <li>
              {countText(certificateCount, "certificate")} left without an agent: nothing renews them until
              they have another
            </li>
          )}
        </ul>
      ) : (
        <p>Nothing depends on it.</p>
      )}
      <Field label="Reason" hint="Kept in the audit" isOptional={!force}>
        {(ids) => (
          <Input
            {...ids}
            value={reason}
            maxLength={500}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
    </Confirm>
  );
}
