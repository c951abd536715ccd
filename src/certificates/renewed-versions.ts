import { Prisma } from "#gen/prisma/client.ts";

/**
 * SQL over `v` (certificate_versions) and `c` (its certificate): whether the next renewal replaces the version. Of each agent that
 * the certificate is still on that is the newest: agents have keys and leaves of their own, and a CA may want one of them renewed
 * alone. An older version that a target was rolled back to is none of them: it has its successor, another would not change what
 * that target is to serve, and what a CA says of it is past by then.
 */
export const isRenewedNext = Prisma.sql`((v.agent_id = c.agent_id OR EXISTS (
    SELECT 1 FROM certificate_target_mappings m JOIN deployment_targets t ON t.id = m.target_id
    WHERE m.certificate_id = c.id AND t.agent_id = v.agent_id
  )) AND NOT EXISTS (
    SELECT 1 FROM certificate_versions newer
    WHERE newer.certificate_id = v.certificate_id AND newer.agent_id = v.agent_id AND newer.created_at > v.created_at
  ))`;
