import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { ExplanationService } from "#gen/certctl/v1/explain_pb.ts";
import { type Journey, type JourneyService, JourneyState } from "#gen/certctl/v1/journeys_pb.ts";
import { relativeText } from "../../ui/time-text.ts";
import { journeyOfVersion } from "../journeys.ts";
import { refreshCertificate } from "../refresh.ts";
import type { World } from "../world.ts";

/** The journeys of a certificate, newest first: those one saw, and those of older versions. */
function journeysOf(world: World, id: string): Journey[] {
  const certificate = world.certificates.get(id);
  if (!certificate) throw new ConnectError(`${id} is not in the demo`, Code.NotFound);
  const seen = world.journeys.get(id) ?? [];
  const known = new Set(seen.map(({ renewalId }) => renewalId));
  const older = (world.versions.get(id) ?? []).filter(({ renewalId }) => !known.has(renewalId));
  return [...seen, ...older.map((version) => journeyOfVersion(world, certificate, version))];
}

function journeyOf(world: World, id: string, renewalId: string): Journey {
  const all = journeysOf(world, id);
  const journey = renewalId ? all.find((each) => each.renewalId === renewalId) : all[0];
  if (!journey) throw new ConnectError("nothing was issued yet", Code.NotFound);
  journey.at = timestampFromDate(new Date());
  return journey;
}

const followMs = 300;

export function journeysDemo(world: World): Partial<ServiceImpl<typeof JourneyService>> {
  return {
    getCertificateJourney: ({ id, renewalId }) => ({
      journey: structuredClone(journeyOf(world, id, renewalId)),
    }),
    listCertificateJourneys: ({ id }) => {
      const data = journeysOf(world, id).map((journey) => ({
        renewalId: journey.renewalId,
        state: journey.state,
        ...(journey.startedAt && { startedAt: journey.startedAt }),
        ...(journey.endedAt && { endedAt: journey.endedAt }),
        keys: journey.keys.length,
        issued: journey.keys.filter(({ state }) => state === JourneyState.DONE).length,
        targets: journey.lanes.length,
        proven: journey.lanes.filter(({ state }) => state === JourneyState.DONE).length,
      }));
      return { data, total: data.length, page: 1, perPage: 50 };
    },
    async *watchCertificateJourney({ id, renewalId }, { signal }) {
      for (;;) {
        const journey = journeyOf(world, id, renewalId);
        yield { journey: structuredClone(journey) };
        if (signal.aborted || journey.state === JourneyState.DONE) return;
        await new Promise((resolve) => setTimeout(resolve, followMs));
      }
    },
  };
}

export function explanationsDemo(world: World): Partial<ServiceImpl<typeof ExplanationService>> {
  return {
    explainCertificate: ({ id }) => {
      const certificate = world.certificates.get(id);
      if (!certificate) throw new ConnectError(`${id} is not in the demo`, Code.NotFound);
      refreshCertificate(world, certificate);
      const now = new Date();
      const [version] = world.versions.get(id) ?? [];
      const policy = world.renewalPolicies.get(certificate.renewalPolicyId);
      const { deploymentsProven: proven, deploymentsTotal: total, deploymentsDrifted: drifted } = certificate;
      const renewal = version?.renewAt ? new Date(Number(version.renewAt.seconds) * 1_000) : now;
      const served = drifted > 0 ? `; ${drifted} still serves v${(version?.number ?? 1) - 1}` : "";
      return {
        explanation: {
          certificateId: id,
          sentence: `Renewal ${relativeText(renewal, now)}; ${proven} of ${total} targets proven${served}`,
          next: { kind: "Renewal", text: "It is renewed by itself" },
          ...(version && {
            plan: {
              text: `The policy ${policy?.name ?? ""} wants it renewed before its last third`,
              ...(version.renewAt && { renewAt: version.renewAt }),
              ...(version.notBefore && { notBefore: version.notBefore }),
              ...(version.notAfter && { notAfter: version.notAfter }),
              lifetimeSeconds: certificate.validitySeconds,
              renewalPolicyId: certificate.renewalPolicyId,
              renewalPolicyName: policy?.name ?? "",
              windowDays: policy?.renewalWindowDays ?? 30,
              effectiveWindowSeconds: Math.round(certificate.validitySeconds / 3),
              autoRenew: true,
              jitterSeconds: 3_600,
              checkEverySeconds: 3_600,
            },
          }),
          runway: { attempts: 60, text: "60 attempts fit before its end" },
        },
      };
    },
  };
}
