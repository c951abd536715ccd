import type { JsonObject } from "@bufbuild/protobuf";
import { holdAgent } from "../agents/hold.ts";
import type { IssuingAuthorities } from "../authorities/issuing.ts";
import { maskSecrets } from "../connectors/secrets.ts";
import { defaultIssuerId } from "../issuers/default-issuer.ts";
import type { Refusal, RefusalContext, WantedCertificate } from "../issuers/issuer.ts";
import { issuerByKind } from "../issuers/registry.ts";
import type { Transaction } from "../platform/database.ts";
import { type FieldViolation, invalid } from "../platform/errors.ts";
import { defaultRenewalPolicyId } from "../renewal-policies/manage.ts";
import { NameError, parseSan } from "../x509/names.ts";
import type { Declaration } from "./declare.ts";

const defaultValiditySeconds = 46 * 86_400;

/** What this control plane itself is: names that no customer's certificate may carry, and the CAs that sign for them. */
export interface ReservedNames {
  trustDomain: string;
  ownNames: readonly string[];
  issuing: IssuingAuthorities;
}

export type StoredDeclaration = Awaited<ReturnType<typeof checkDeclaration>>;

/** Brings a declaration into the form that is stored; every problem is reported at once. */
export async function checkDeclaration(tx: Transaction, reserved: ReservedNames, wanted: Declaration) {
  const violations: FieldViolation[] = [];
  const sans = canonicalNames(wanted, violations);
  const issuerId = wanted.issuerId || defaultIssuerId;
  const validitySeconds = wanted.validitySeconds || defaultValiditySeconds;
  const [issuer] = await tx.$queryRaw<{ kind: string; config: JsonObject }[]>`
    SELECT kind, config FROM issuers WHERE id = ${issuerId} AND archived_at IS NULL FOR SHARE`;
  if (!issuer) violations.push({ field: "issuer_id", description: `issuer ${issuerId} does not exist` });
  if (issuer && violations.length === 0) {
    const { keyAlgorithm } = wanted;
    const context = await refusalContext(tx, reserved, issuerId);
    const refusal = refusalOf(issuer, { sans, keyAlgorithm, validitySeconds }, context);
    if (refusal) violations.push(refusal);
  }
  const places = await checkPlaces(tx, wanted, violations);
  const ownership = await readOwnership(tx, wanted, violations);
  const [first, ...others] = violations;
  if (first) throw invalid(first, ...others);
  return {
    name: wanted.name,
    commonName: parseSan(wanted.commonName).value,
    sans,
    environment: wanted.environment,
    issuerId,
    tags: wanted.tags,
    keyAlgorithm: wanted.keyAlgorithm,
    validitySeconds,
    ...places,
    ...ownership,
  };
}

function refusalOf(
  { kind, config }: { kind: string; config: JsonObject },
  wanted: WantedCertificate,
  context: RefusalContext,
): Refusal | null {
  return issuerByKind.get(kind)?.refuses(wanted, maskSecrets(config), context) ?? null;
}

/** What an issuer has to know to say whether it would sign. */
export async function refusalContext(
  tx: Transaction,
  { trustDomain, ownNames, issuing }: ReservedNames,
  issuerId: string,
): Promise<RefusalContext> {
  const { pkiUrl } = issuing;
  return { trustDomain, ownNames, pkiUrl, signingCa: await issuing.signingFor(issuerId, tx) };
}

/** The agent and the targets. */
async function checkPlaces(
  tx: Transaction,
  { agentId, targetIds }: Declaration,
  violations: FieldViolation[],
): Promise<{ agentId: string | null; targetIds: string[] }> {
  const agent = agentId === "" ? null : await holdAgent(tx, agentId);
  if (agentId !== "" && !agent) {
    violations.push({ field: "agent_id", description: `agent ${agentId} does not exist` });
  }
  if (agent?.retiredAt) violations.push({ field: "agent_id", description: `agent ${agentId} is retired` });
  // Shared with whoever deploys there, not with whoever archives it.
  const targets = await tx.$queryRaw<{ id: string }[]>`
    SELECT id FROM deployment_targets WHERE id = ANY(${targetIds}::text[]) AND archived_at IS NULL
    ORDER BY id FOR KEY SHARE`;
  targetIds.forEach((id, index) => {
    if (targets.some((target) => target.id === id)) return;
    violations.push({ field: `target_ids[${index}]`, description: `target ${id} does not exist` });
  });
  return { agentId: agentId || null, targetIds };
}

/** Who answers for a certificate, and by which policy it is renewed, as they are to be stored; empty texts for none. */
export interface Ownership {
  ownerId: string;
  teamId: string;
  renewalPolicyId: string;
}

/** Reads an ownership; throws InvalidArgument naming every reference that does not exist. */
export async function checkOwnership(
  tx: Transaction,
  wanted: Ownership,
  fieldPrefix: string,
): Promise<{ ownerId: string | null; teamId: string | null; renewalPolicyId: string }> {
  const violations: FieldViolation[] = [];
  const read = await readOwnership(tx, wanted, violations, fieldPrefix);
  const [first, ...others] = violations;
  if (first) throw invalid(first, ...others);
  return read;
}

async function readOwnership(
  tx: Transaction,
  wanted: Ownership,
  violations: FieldViolation[],
  fieldPrefix = "",
): Promise<{ ownerId: string | null; teamId: string | null; renewalPolicyId: string }> {
  const renewalPolicyId = wanted.renewalPolicyId || defaultRenewalPolicyId;
  // Shared with a transaction that archives one of them: one of the two waits and then sees the other.
  const [owner] = await tx.$queryRaw<{ teamId: string | null }[]>`
    SELECT team_id AS "teamId" FROM owners WHERE id = ${wanted.ownerId} AND archived_at IS NULL FOR SHARE`;
  const teams = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM teams WHERE id = ${wanted.teamId} AND archived_at IS NULL FOR SHARE`;
  const policies = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM renewal_policies WHERE id = ${renewalPolicyId} AND archived_at IS NULL FOR SHARE`;
  const missing = (field: string, what: string) =>
    violations.push({ field: `${fieldPrefix}${field}`, description: `${what} does not exist` });
  if (wanted.ownerId && !owner) missing("owner_id", `owner ${wanted.ownerId}`);
  if (wanted.teamId && teams.length === 0) missing("team_id", `team ${wanted.teamId}`);
  if (policies.length === 0) missing("renewal_policy_id", `renewal policy ${renewalPolicyId}`);
  return { ownerId: wanted.ownerId || null, teamId: wanted.teamId || owner?.teamId || null, renewalPolicyId };
}

/** The common name is always among the names: a client looks nowhere else (RFC 9525, 2). */
function canonicalNames({ commonName, sans }: Declaration, violations: FieldViolation[]): string[] {
  const named = [
    { field: "common_name", text: commonName },
    ...sans.map((text, i) => ({ field: `sans[${i}]`, text })),
  ];
  const names = named.flatMap(({ field, text }) => {
    try {
      const { value } = parseSan(text);
      // What a subject has room for (RFC 5280, upper bounds); an A-label is longer than what people write.
      if (field === "common_name" && value.length > 64)
        throw new NameError(`"${value}" is longer than the 64 characters of a common name`);
      return [value];
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      violations.push({ field, description: error.message });
      return [];
    }
  });
  return [...new Set(names)];
}
