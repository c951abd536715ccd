import { X509Certificate } from "node:crypto";
import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  BudgetUseSchema,
  type Issuer,
  type IssuerAccount,
  IssuerAccountSchema,
  type IssuerOrder,
  IssuerOrderSchema,
  IssuerSchema,
  type IssuerService,
} from "#gen/certctl/v1/issuers_pb.ts";
import { callerOf } from "../auth/interceptor.ts";
import { configSchema } from "../connectors/fields.ts";
import { maskSecrets } from "../connectors/secrets.ts";
import { invalid, notFound } from "../platform/errors.ts";
import { timestamps } from "../platform/timestamps.ts";
import { restoreRow } from "../resources/archive.ts";
import type { AccountDescription } from "./account.ts";
import { changeAccountKey, closeAccount, issuerAccountOf } from "./account-actions.ts";
import { budgetUse } from "./budget-use.ts";
import { type Issuer as Connector, IssuerError } from "./issuer.ts";
import { type ListedOrder, listOrdersOfJob, listWaitingOrders } from "./list-orders.ts";
import { archiveIssuer, createIssuer, issuerKind, openConfig, updateIssuer } from "./manage.ts";
import type { OrderDescription } from "./order-description.ts";
import { setStandby } from "./standby.ts";
import { type IssuerTestDeps, testIssuer, testIssuerConfig } from "./test-issuer.ts";
import { findIssuer, type IssuerView, listIssuers } from "./view.ts";

export function issuerService(deps: IssuerTestDeps): ServiceImpl<typeof IssuerService> {
  const { db, issuerKinds, issuing, commands } = deps;

  async function message({
    createdAt,
    updatedAt,
    archivedAt,
    canaryIssuedAt,
    config,
    ...view
  }: IssuerView): Promise<Issuer> {
    const signingCa = await issuing.signingFor(view.id);
    const shown = maskSecrets(config as JsonObject);
    const rootPem = issuerKinds.get(view.kind)?.rootPem(shown, { signingCa }) ?? "";
    return create(IssuerSchema, {
      ...view,
      config: shown,
      standbyIssuerId: view.standbyIssuerId ?? "",
      standbyIssuerName: view.standbyIssuerName ?? "",
      canaryCertificateId: view.canaryCertificateId ?? "",
      rootPem,
      ...timestamps({ caExpiresAt: rootPem ? new Date(new X509Certificate(rootPem).validTo) : null }),
      createdAt: timestampFromDate(createdAt),
      updatedAt: timestampFromDate(updatedAt),
      ...timestamps({ archivedAt, canaryIssuedAt }),
    });
  }

  async function read(id: string): Promise<Issuer> {
    const view = await findIssuer(db, id);
    if (!view) throw notFound("issuer", id);
    return message(view);
  }

  return {
    async listIssuers(request) {
      const { rows, ...page } = await listIssuers(db, request);
      return { ...page, data: await Promise.all(rows.map(message)) };
    },
    async getIssuer({ id }) {
      return { issuer: await read(id) };
    },
    async createIssuer(request, context) {
      const { kind, type, config = {}, enabled = true } = request;
      if (kind && type && kind !== type)
        throw invalid({ field: "type", description: "says another kind than kind; send one of them" });
      const wanted = { ...request, kind: kind || type, config, enabled };
      return { issuer: await read(await createIssuer(deps, callerOf(context), wanted)) };
    },
    async updateIssuer(request, context) {
      const { id, name, config = {}, enabled } = request;
      await updateIssuer(deps, callerOf(context), { id, name, config, enabled });
      return { issuer: await read(id) };
    },
    async deleteIssuer({ id }, context) {
      await archiveIssuer(deps, callerOf(context), id);
      return {};
    },
    async restoreIssuer({ id }, context) {
      await restoreRow(db, callerOf(context), issuerKind, id);
      return { issuer: await read(id) };
    },
    async setIssuerStandby(request, context) {
      await setStandby(deps, callerOf(context), request);
      return { issuer: await read(request.id) };
    },
    async testIssuer({ id }, context) {
      return testIssuer(deps, callerOf(context), id, context.signal);
    },
    async testIssuerConfig(request, context) {
      const wanted = { ...request, config: request.config ?? {} };
      return testIssuerConfig(deps, callerOf(context), wanted, context.signal);
    },
    async listIssuerOrders({ id, jobId, ...request }, context) {
      const issuer = await findIssuer(db, id);
      if (!issuer) throw notFound("issuer", id);
      const { grants } = callerOf(context);
      const wanted = { ...request, issuerId: id };
      if (!jobId) {
        const { rows, ...page } = await listWaitingOrders(db, grants, wanted);
        return { ...page, data: rows.map((row) => orderMessage(row)) };
      }
      const { rows, ...page } = await listOrdersOfJob(db, grants, { ...wanted, jobId });
      const connector = issuerKinds.get(issuer.kind);
      const placed = (state: JsonObject | null) => (state && connector?.describeOrders?.(state)) ?? [];
      return { ...page, data: rows.map(({ state, ...row }) => orderMessage(row, placed(state))) };
    },
    async getIssuerBudget({ id }) {
      const row = await db.issuer.findUnique({ where: { id } });
      if (!row) throw notFound("issuer", id);
      const budget = issuerKinds.get(row.kind)?.budget?.(openConfig(deps.sealer, row));
      const uses = budget ? await budgetUse(db, id, budget, deps.clock()) : [];
      const data = uses.map(({ freeAt, ...use }) =>
        create(BudgetUseSchema, { ...use, ...timestamps({ freeAt }) }),
      );
      return { data };
    },
    async getIssuerAccount({ id }) {
      return accountMessage(await issuerAccountOf(deps, id));
    },
    async changeIssuerAccountKey({ id }, context) {
      return accountMessage(await changeAccountKey(deps, callerOf(context), id, context.signal));
    },
    async closeIssuerAccount({ id }, context) {
      await closeAccount(deps, callerOf(context), id, context.signal);
      return {};
    },
    listIssuerKinds() {
      const data = [...issuerKinds.values()].map((issuer) => ({
        kind: issuer.kind,
        title: issuer.title,
        configSchema: configSchema(issuer.config),
        abilities: abilitiesOf(issuer),
      }));
      return { data };
    },
    async listServerCommands() {
      try {
        return { data: await commands.list() };
      } catch (error) {
        if (error instanceof IssuerError) return { problem: error.message };
        throw error;
      }
    },
  };
}

function orderMessage(
  { pollAt, createdAt, ...order }: ListedOrder,
  placed: readonly OrderDescription[] = [],
): IssuerOrder {
  return create(IssuerOrderSchema, {
    ...order,
    ...timestamps({ pollAt, createdAt }),
    placed: placed.map(({ placedAt, ...one }) => ({ ...one, placedAt: timestampFromDate(placedAt) })),
  });
}

function accountMessage(account: AccountDescription | null): { account?: IssuerAccount } {
  if (!account) return {};
  const { keyMadeAt, isKeyChanging, isDeactivating, ...said } = account;
  const flags = { keyChanging: isKeyChanging, closing: isDeactivating };
  return { account: create(IssuerAccountSchema, { ...said, ...flags, ...timestamps({ keyMadeAt }) }) };
}

/** What a kind can do beside signing. */
function abilitiesOf({ revoke, orderStatus, renewalInfo, budget, accounts }: Connector): string[] {
  const abilities = {
    ...{ revoke, later: orderStatus, "renewal-information": renewalInfo, budget },
    account: accounts,
  };
  return Object.entries(abilities).flatMap(([name, ability]) => (ability ? [name] : []));
}
