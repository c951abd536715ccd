import type { ServiceImpl } from "@connectrpc/connect";
import type { Journey as JourneyMessage, JourneyService } from "#gen/certctl/v1/journeys_pb.ts";
import type { Grants } from "../auth/grants.ts";
import { callerOf } from "../auth/interceptor.ts";
import { findCertificate } from "../certificates/view.ts";
import type { Bus } from "../platform/bus.ts";
import type { Database } from "../platform/database.ts";
import { notFound } from "../platform/errors.ts";
import { Wakeup } from "../platform/wakeup.ts";
import type { Expectations } from "./expected.ts";
import { type Journey, readJourney, renewalOf, type Traveller } from "./journey.ts";
import { listJourneys } from "./list.ts";
import { journeyMessage, summaryMessage } from "./message.ts";

/** A watcher looks again this often even if nothing woke it. */
const watchSweepMs = 5_000;

export function journeyService(deps: {
  db: Database;
  bus: Bus;
  clock: () => Date;
}): ServiceImpl<typeof JourneyService> {
  const { db, clock } = deps;

  async function find(id: string, grants: Grants): Promise<Traveller> {
    const certificate = await findCertificate(db, grants, id, clock());
    if (!certificate) throw notFound("certificate", id);
    return certificate;
  }

  return {
    async listCertificateJourneys(request, context) {
      await find(request.id, callerOf(context).grants);
      const { rows, ...page } = await listJourneys(db, request.id, request, clock());
      return { ...page, data: rows.map(summaryMessage) };
    },
    async getCertificateJourney({ id, renewalId }, context) {
      const certificate = await find(id, callerOf(context).grants);
      const wanted = await renewalOf(db, id, renewalId);
      return { journey: journeyMessage(await readJourney(db, certificate, wanted, { now: clock() })) };
    },
    async *watchCertificateJourney({ id, renewalId }, context) {
      const { grants } = callerOf(context);
      await find(id, grants);
      const wanted = await renewalOf(db, id, renewalId);
      const read = async (expected: Expectations | undefined) =>
        readJourney(db, await find(id, grants), wanted, { now: clock(), ...(expected ? { expected } : {}) });
      yield* watch(deps.bus, read, context.signal);
    },
  };
}

async function* watch(
  bus: Bus,
  read: (expected: Expectations | undefined) => Promise<Journey>,
  signal: AbortSignal,
): AsyncGenerator<{ journey: JourneyMessage }> {
  using wakeup = new Wakeup(signal);
  // A deployment tells of itself and of the issuance that it belongs to; one that was asked for by hand only of itself.
  let jobIds = new Set<string>();
  using _subscription = bus.subscribe("job", (id) => jobIds.has(id) && wakeup.wake());
  let expected: Expectations | undefined;
  let seen = "";
  for (;;) {
    const journey = await read(expected);
    expected = journey.expected;
    jobIds = new Set([...journey.keys, ...journey.lanes].flatMap(({ job }) => job?.id ?? []));
    const { at: _at, expected: _expected, ...state } = journey;
    const now = JSON.stringify(state);
    if (now !== seen) yield { journey: journeyMessage(journey) };
    seen = now;
    if (journey.outcome !== null || signal.aborted) return;
    await wakeup.wait(watchSweepMs);
  }
}
