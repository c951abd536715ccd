import { createPrivateKey, X509Certificate } from "node:crypto";
import type { AgentConfig } from "../config.ts";
import { lifeOf, readIdentity } from "../identity.ts";
import { type Finding, failed, fine, warning } from "./finding.ts";

/** Whether the control plane knows this agent, as far as can be told from here. */
export async function checkIdentity({ stateDir, introduction }: AgentConfig, now: Date): Promise<Finding[]> {
  const subject = "identity";
  if (introduction.kind === "api_key")
    return [fine(subject, "an API key; whether it holds shows at the control plane")];
  const identity = await readIdentity(stateDir).catch(() => null);
  const again = "make a join token for the same id, and start the agent with it: CERTCTL_JOIN";
  if (!identity)
    return introduction.kind === "join"
      ? [warning(subject, "there is none yet; a join string is set", "start the agent: it joins with it")]
      : [failed(subject, "there is none, and no join string", again)];
  const { agentId, certificatePem, keyPem } = identity;
  if (!new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem)))
    return [failed(subject, `the key of ${agentId} is not its certificate's`, again)];
  const { notAfter, renewAt } = lifeOf(identity);
  if (notAfter <= now)
    return [
      failed(subject, `${agentId} ended at ${notAfter.toISOString()}: it was away for too long`, again),
    ];
  if (renewAt <= now)
    return [
      warning(
        subject,
        `${agentId} was to be renewed at ${renewAt.toISOString()}, and ends at ${notAfter.toISOString()}`,
        "see to it that the agent runs and reaches the control plane",
      ),
    ];
  return [fine(subject, `${agentId}, until ${notAfter.toISOString()}; renewed at half of its life`)];
}
