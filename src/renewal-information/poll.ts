import type { Prisma } from "#gen/prisma/client.ts";
import { recordAudit, system } from "../audit/record.ts";
import { isRenewedNext } from "../certificates/renewed-versions.ts";
import { signedCertificate } from "../certificates/signed.ts";
import { IssuerError, type RenewalInformation } from "../issuers/issuer.ts";
import { type IssuerKinds, openConfig } from "../issuers/manage.ts";
import { issuerTools, type ToolDeps } from "../issuers/tools.ts";
import type { Log } from "../platform/log.ts";
import type { ScheduledTask } from "../scheduler/task.ts";

export interface PollDeps extends ToolDeps {
  issuerKinds: IssuerKinds;
  log: Log;
  /** Opens the renewals that are due: called when a CA wants some at once. */
  renew: (now: Date, signal: AbortSignal) => Promise<unknown>;
}

const leastWaitMs = 60_000;
const mostWaitMs = 86_400_000;
/** Where the CA does not say when to ask again. */
const usualWaitMs = 6 * 3_600_000;
const waitAfterErrorMs = 3_600_000;
const atOnce = 500;

interface Asked {
  versionId: string;
  certificateId: string;
  issuerId: string;
  ariStart: Date | null;
  ariEnd: Date | null;
  ariRenewAt: Date | null;
}

/** Asks CAs that say so when they want certificates renewed (RFC 9773), and has those renewed that they want at once. */
export async function pollRenewalInformation(
  deps: PollDeps,
  now: Date,
  signal: AbortSignal,
  random: () => number = Math.random,
): Promise<string> {
  const { db, issuerKinds } = deps;
  const kinds = [...issuerKinds.values()].filter(({ renewalInfo }) => renewalInfo).map(({ kind }) => kind);
  const due = await db.$queryRaw<Asked[]>`
    SELECT v.id AS "versionId", v.certificate_id AS "certificateId", v.issuer_id AS "issuerId",
      v.ari_start AS "ariStart", v.ari_end AS "ariEnd", v.ari_renew_at AS "ariRenewAt"
    FROM certificate_versions v
    JOIN managed_certificates c ON c.id = v.certificate_id AND c.archived_at IS NULL
    JOIN issuers i ON i.id = v.issuer_id AND i.kind = ANY(${kinds}::text[])
    WHERE v.revoked_at IS NULL AND v.not_after > ${now} AND (v.ari_poll_at IS NULL OR v.ari_poll_at <= ${now})
      AND ${isRenewedNext}
    ORDER BY v.ari_poll_at NULLS FIRST, v.id LIMIT ${atOnce}`;
  let failed = 0;
  let wanted = 0;
  for (const asked of due) {
    if (signal.aborted) break;
    const answer = await ask(deps, asked, signal);
    if (signal.aborted) break;
    if (answer instanceof IssuerError) failed += 1;
    const renewAt = await store(deps, asked, answer, { now, random });
    if (renewAt && renewAt <= now) wanted += 1;
  }
  if (wanted > 0) await deps.renew(now, signal);
  return `${due.length} certificates asked about, ${wanted} wanted renewed now, ${failed} not answered`;
}

async function ask(
  deps: PollDeps,
  { versionId, issuerId }: Asked,
  signal: AbortSignal,
): Promise<RenewalInformation | IssuerError | null> {
  const { db, sealer, issuerKinds, log } = deps;
  try {
    const version = await db.certificateVersion.findUniqueOrThrow({
      where: { id: versionId },
      include: { issuer: true },
    });
    const issuer = issuerKinds.get(version.issuer.kind);
    const config = openConfig(sealer, version.issuer);
    const tools = issuerTools(deps, issuerId, signal);
    return (await issuer?.renewalInfo?.(signedCertificate(version), config, tools)) ?? null;
  } catch (error) {
    if (error instanceof IssuerError) return error;
    log.warn({ err: error, versionId }, "a CA could not be asked when to renew");
    return new IssuerError("renewal_info", "internal error; the server's log has it", "Internal");
  }
}

/** One transaction: what the CA said, and what is written down of it where it changed. Returns when it is to be renewed. */
async function store(
  { db }: PollDeps,
  { versionId, certificateId, ariStart, ariEnd, ariRenewAt }: Asked,
  answer: RenewalInformation | IssuerError | null,
  { now, random }: { now: Date; random: () => number },
): Promise<Date | null> {
  const said = answer instanceof IssuerError ? null : answer;
  const isSame = said !== null && same(said.start, ariStart) && same(said.end, ariEnd);
  const renewAt = said && (isSame ? ariRenewAt : instantOf(said, random()));
  const usualMs = answer instanceof IssuerError ? waitAfterErrorMs : said ? usualWaitMs : mostWaitMs;
  const waitMs = Math.min(Math.max(answer?.retryAfterMs ?? usualMs, leastWaitMs), mostWaitMs);
  await db.$transaction(async (tx) => {
    await tx.certificateVersion.update({
      where: { id: versionId },
      data: {
        ariStart: said?.start ?? null,
        ariEnd: said?.end ?? null,
        ariRenewAt: renewAt,
        ariExplanationUrl: said?.explanationUrl ?? "",
        ariAskedAt: now,
        ariPollAt: new Date(now.getTime() + waitMs),
        ariError: answer instanceof IssuerError ? answer.message : "",
      },
    });
    if (same(renewAt, ariRenewAt)) return;
    const times = { start: said?.start, end: said?.end, renew_at: renewAt };
    const texts = Object.entries(times).map(([name, at]) => [name, at?.toISOString() ?? null]);
    await recordAudit(tx, system, {
      action: "renewal_information_changed",
      resourceType: "certificate",
      resourceId: certificateId,
      details: {
        version_id: versionId,
        ...Object.fromEntries(texts),
        explanation_url: said?.explanationUrl ?? "",
      } satisfies Prisma.InputJsonObject,
    });
  });
  return renewAt;
}

/** RFC 9773, 4.2: one instant of the window, each as likely as another. */
function instantOf({ start, end }: RenewalInformation, random: number): Date {
  return new Date(start.getTime() + Math.floor(random * (end.getTime() - start.getTime())));
}

function same(one: Date | null | undefined, other: Date | null): boolean {
  return one?.getTime() === other?.getTime();
}

export function renewalInformationTask(deps: PollDeps, everyMs: number): ScheduledTask {
  return {
    name: "renewal-information",
    title: "Asks CAs when they want certificates renewed",
    everyMs,
    run: (now, signal) => pollRenewalInformation(deps, now, signal),
  };
}
