import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  PolicyModeSchema,
  type PolicyRule,
  PolicyRuleSchema,
  type PolicyService,
  PolicySeveritySchema,
  type PolicyViolation,
  PolicyViolationSchema,
} from "#gen/certctl/v1/policies_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import { configSchema } from "../connectors/fields.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { wordsOf } from "../platform/words.ts";
import { checkOf } from "./evaluate.ts";
import { dryRun } from "./inventory.ts";
import { archiveRule, checkConfig, createRule, restoreRule, updateRule } from "./manage.ts";
import { ruleTypes } from "./registry.ts";
import { findRule, listRules, listViolations, type RuleView, type ViolationView } from "./view.ts";

const severityWords = wordsOf(PolicySeveritySchema);
const modeWords = wordsOf(PolicyModeSchema);

export function policyService(deps: { db: Database; clock: () => Date }): ServiceImpl<typeof PolicyService> {
  const { db, clock } = deps;

  async function read(id: string): Promise<PolicyRule> {
    const view = await findRule(db, id);
    if (!view) throw notFound("policy rule", id);
    return message(view);
  }

  return {
    async listPolicyRules(request) {
      const modes = request.mode.map(modeWords.text);
      const severities = request.severity.map(severityWords.text);
      const { rows, ...page } = await listRules(db, request, { ...request, modes, severities });
      return { ...page, data: rows.map(message) };
    },
    async getPolicyRule({ id }) {
      return { policyRule: await read(id) };
    },
    async createPolicyRule(request, context) {
      const wanted = { ...request, ...completed(request) };
      return { policyRule: await read(await createRule(db, callerOf(context), wanted, clock())) };
    },
    async updatePolicyRule(request, context) {
      await updateRule(db, callerOf(context), { ...request, ...completed(request) }, clock());
      return { policyRule: await read(request.id) };
    },
    async deletePolicyRule({ id }, context) {
      await archiveRule(db, callerOf(context), id, clock());
      return {};
    },
    async restorePolicyRule({ id }, context) {
      await restoreRule(db, callerOf(context), id, clock());
      return { policyRule: await read(id) };
    },
    async dryRunPolicyRule({ type, config: wanted = {} }, context) {
      const config = await checkConfig(db, type, wanted);
      return dryRun(db, checkOf(type, config), clock(), context.signal);
    },
    async listPolicyViolations(request, context) {
      const { grants } = callerOf(context);
      const severities = request.severity.map(severityWords.text);
      const { rows, ...page } = await listViolations(db, grants, request, { ...request, severities });
      return { ...page, data: rows.map(violationMessage) };
    },
    listPolicyTypes() {
      return {
        data: ruleTypes.map(({ type, title, config }) => ({
          type,
          title,
          configSchema: configSchema(config),
        })),
      };
    },
  };
}

function completed(request: {
  config?: JsonObject | undefined;
  severity: Parameters<typeof severityWords.text>[0];
  mode: Parameters<typeof modeWords.text>[0];
  enabled?: boolean | undefined;
}) {
  return {
    config: request.config ?? {},
    severity: severityWords.text(request.severity) || "Error",
    mode: modeWords.text(request.mode) || "audit",
    enabled: request.enabled ?? true,
  };
}

function message({ createdAt, updatedAt, archivedAt, ...view }: RuleView): PolicyRule {
  return create(PolicyRuleSchema, {
    ...view,
    config: view.config as JsonObject,
    severity: severityWords.value(view.severity),
    mode: modeWords.value(view.mode),
    createdAt: timestampFromDate(createdAt),
    updatedAt: timestampFromDate(updatedAt),
    ...(archivedAt ? { archivedAt: timestampFromDate(archivedAt) } : {}),
  });
}

function violationMessage({ openedAt, closedAt, ...view }: ViolationView): PolicyViolation {
  return create(PolicyViolationSchema, {
    ...view,
    severity: severityWords.value(view.severity),
    openedAt: timestampFromDate(openedAt),
    ...(closedAt ? { closedAt: timestampFromDate(closedAt) } : {}),
  });
}
