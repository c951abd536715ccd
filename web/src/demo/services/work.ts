import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { CertificateFilter } from "#gen/certctl/v1/certificates_pb.ts";
import { ListCertificatesRequestSchema } from "#gen/certctl/v1/certificates_pb.ts";
import {
  FailureClassSchema,
  type Job,
  JobService,
  JobStatus,
  JobStatusSchema,
  JobTypeSchema,
} from "#gen/certctl/v1/jobs_pb.ts";
import { JourneyCause } from "#gen/certctl/v1/journeys_pb.ts";
import {
  OperationItemSchema,
  OperationItemStatus,
  OperationKind,
  OperationSchema,
  OperationService,
  OperationStatus,
} from "#gen/certctl/v1/operations_pb.ts";
import { wordOfValue } from "../../status/words.ts";
import { say } from "../changes.ts";
import { crud, listOf } from "../crud.ts";
import { liveCertificates } from "../refresh.ts";
import { renew } from "../story.ts";
import type { World } from "../world.ts";

export function jobsDemo(world: World): Partial<ServiceImpl<typeof JobService>> {
  const basic = crud(JobService, { noun: "Job", rows: world.jobs, onChange: (id) => say(world, "jobs", id) });
  const one = (id: string): Job => {
    const job = world.jobs.get(id);
    if (!job) throw new ConnectError(`${id} is not in the demo`, Code.NotFound);
    return job;
  };
  const again = (job: Job) => {
    job.status = JobStatus.CANCELLED;
    const certificate = world.certificates.get(job.certificateId);
    return certificate ? renew(world, certificate, JourneyCause.ASKED, "ak-demo") : "";
  };
  return {
    ...(basic as Partial<ServiceImpl<typeof JobService>>),
    countJobs() {
      const jobs = [...world.jobs.values()];
      return {
        total: jobs.length,
        byStatus: tally(jobs.map(({ status }) => wordOfValue(JobStatusSchema, status))),
        byType: tally(jobs.map(({ type }) => wordOfValue(JobTypeSchema, type))),
        byFailureClass: tally(
          jobs.flatMap(({ error }) => (error ? [wordOfValue(FailureClassSchema, error.failureClass)] : [])),
        ),
      };
    },
    listJobCauses: () => ({ data: causesOf(world) }),
    retryJobs({ causeId, dryRun }) {
      const jobs = failedOf(world).filter(({ error }) => error?.step === causeId);
      if (!dryRun) for (const job of jobs) again(job);
      return {
        jobs: jobs.length,
        certificates: new Set(jobs.map(({ certificateId }) => certificateId)).size,
        operationId: "",
      };
    },
    cancelJob({ id }) {
      const job = one(id);
      job.status = JobStatus.CANCELLED;
      const certificate = world.certificates.get(job.certificateId);
      if (certificate) certificate.activeJobId = "";
      say(world, "jobs", id);
      return { job };
    },
    retryJob: ({ id }) => ({ status: "accepted", jobId: again(one(id)) }),
    async *watchJob({ id }) {
      yield { job: one(id) };
    },
  };
}

function failedOf(world: World): Job[] {
  return [...world.jobs.values()].filter(({ status }) => status === JobStatus.FAILED);
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

export function causesOf(world: World) {
  const byStep = Map.groupBy(failedOf(world), ({ error }) => error?.step ?? "");
  return [...byStep].map(([step, jobs]) => {
    const [first] = jobs;
    return {
      id: step,
      step,
      ...(first && { type: first.type, failureClass: first.error?.failureClass ?? 0 }),
      message: first?.error?.message ?? "",
      sampleMessage: first?.error?.message ?? "",
      targetKind: "nginx",
      jobs: jobs.length,
      retryable: jobs.length,
      certificates: jobs.length,
      agents: 1,
      sampleJobIds: jobs.map(({ id }) => id),
      ...(first?.createdAt && { firstAt: first.createdAt, lastAt: first.createdAt }),
    };
  });
}

function matching(world: World, filter: CertificateFilter | undefined) {
  const rows = liveCertificates(world);
  if (filter && filter.id.length > 0) return rows.filter(({ id }) => filter.id.includes(id));
  return listOf(rows, ListCertificatesRequestSchema, { ...filter, perPage: 100_000 } as never).data;
}

const itemMs = 120;

export function operationsDemo(world: World): Partial<ServiceImpl<typeof OperationService>> {
  const onChange = (id: string) => say(world, "operations", id);
  return {
    ...(crud(OperationService, { noun: "Operation", rows: world.operations, onChange }) as Partial<
      ServiceImpl<typeof OperationService>
    >),
    dryRunOperation({ filter }) {
      const rows = matching(world, filter);
      return { total: rows.length, examples: rows.slice(0, 20) };
    },
    createOperation({ kind, filter }) {
      const rows = matching(world, filter);
      const operation = create(OperationSchema, {
        id: `op-demo${world.operations.size + 1}`,
        kind,
        status: OperationStatus.RUNNING,
        ...(filter && { filter }),
        total: rows.length,
        createdBy: "ak-demo",
        createdAt: timestampFromDate(new Date()),
      });
      const items = rows.map(({ id, name }) =>
        create(OperationItemSchema, {
          certificateId: id,
          certificateName: name,
          status: OperationItemStatus.PENDING,
        }),
      );
      world.operations.set(operation.id, operation);
      world.operationItems.set(operation.id, items);
      for (const [index, item] of items.entries()) {
        setTimeout(() => {
          const certificate = world.certificates.get(item.certificateId);
          if (certificate && kind === OperationKind.RENEW)
            renew(world, certificate, JourneyCause.OPERATION, "ak-demo");
          if (certificate && kind === OperationKind.ARCHIVE)
            certificate.archivedAt = timestampFromDate(new Date());
          item.status = OperationItemStatus.DONE;
          operation.done += 1;
          if (operation.done === operation.total) {
            operation.status = OperationStatus.COMPLETED;
            operation.finishedAt = timestampFromDate(new Date());
          }
          onChange(operation.id);
        }, itemMs * index);
      }
      onChange(operation.id);
      return { operation };
    },
    listOperationItems(request) {
      return listOf(
        world.operationItems.get(request.id) ?? [],
        OperationService.method.listOperationItems.input,
        {
          ...request,
          id: "",
        } as never,
      );
    },
  };
}
