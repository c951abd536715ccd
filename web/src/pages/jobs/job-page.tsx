import { useQuery } from "@connectrpc/connect-query";
import { Link, useParams } from "@tanstack/react-router";
import { type Job, JobService } from "#gen/certctl/v1/jobs_pb.ts";
import { useStream } from "../../api/use-stream.ts";
import { JobBadge } from "../../status/job-status.tsx";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { ObjectPage } from "../../ui/object-page.tsx";
import { Facts, PageHeader, Panel } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { JobActions } from "./job-actions.tsx";
import { JobError } from "./job-error.tsx";
import { JobsTable, Took, typeText } from "./jobs-table.tsx";
import { OrderPanel } from "./order-panel.tsx";
import { Timeline } from "./timeline.tsx";

const parent = { to: "/jobs", label: "Jobs" };

/** One job, followed until its outcome is final: its attempts, each step of them, and what went wrong. */
export function JobPage() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const read = useQuery(JobService.method.getJob, { id });
  const known = read.data?.job;
  const isOpen = known !== undefined && known.outcome === undefined;
  const streamed = useStream(JobService.method.watchJob, { id }, isOpen);
  const job = isOpen ? (streamed?.job ?? known) : known;
  const deployments = useQuery(
    JobService.method.listJobs,
    { parentJobId: id, perPage: 100, sort: "created_at" },
    { enabled: (job?.childJobIds.length ?? 0) > 0 },
  );
  return (
    <ObjectPage id={id} what="job" parent={parent} value={job} query={read}>
      {(shown) => (
        <>
          <PageHeader
            title={`${typeText(shown.type)} of ${shown.certificateName}`}
            parent={parent}
            badge={
              <span aria-live="polite">
                <JobBadge status={shown.status} outcome={shown.outcome} />
              </span>
            }
          >
            <JobActions job={shown} />
          </PageHeader>
          {shown.waitingFor && (
            <p className="text-fg1">
              It waits for {shown.waitingFor}
              {shown.attempts > 0 && shown.attempts < shown.maxAttempts && (
                <>
                  {": next try "}
                  <Time at={shown.runAfter} />
                </>
              )}
              .
            </p>
          )}
          {shown.error && <JobError job={shown} />}
          <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
            <div className="flex min-w-0 flex-col gap-4">
              <OrderPanel job={shown} />
              <Timeline job={shown} />
              {shown.childJobIds.length > 0 && (
                <Panel title="Its deployments" isFlush>
                  <JobsTable
                    label="Deployments"
                    list={deployments}
                    none="It has no deployments."
                    without={["certificate"]}
                  />
                </Panel>
              )}
            </div>
            <JobFacts job={shown} />
          </div>
        </>
      )}
    </ObjectPage>
  );
}

function JobFacts({ job }: { job: Job }) {
  const linkClass = "underline decoration-line2 underline-offset-2 hover:text-accent";
  const { certificateId, targetId, agentId, parentJobId, versionId, servedFingerprintSha256: served } = job;
  return (
    <Panel title="Facts">
      <Facts
        facts={[
          [
            "Certificate",
            <Link key="c" to="/certificates/$id" params={{ id: certificateId }} className={linkClass}>
              {job.certificateName}
            </Link>,
          ],
          targetId !== "" && [
            "Target",
            <Link key="t" to="/targets/$id" params={{ id: targetId }} className={linkClass}>
              {job.targetName}
            </Link>,
          ],
          [
            "Agent",
            <Link key="a" to="/agents/$id" params={{ id: agentId }} className={linkClass}>
              {job.agentName}
            </Link>,
          ],
          job.issuerId !== "" && [
            "Issuer",
            <Link key="i" to="/issuers/$id" params={{ id: job.issuerId }} className={linkClass}>
              {job.issuerName}
            </Link>,
          ],
          parentJobId !== "" && [
            "Part of",
            <Link key="p" to="/jobs/$id" params={{ id: parentJobId }} className={linkClass}>
              {parentJobId}
            </Link>,
          ],
          ["Attempts", `${job.attempts} of ${job.maxAttempts}`],
          ["Took", <Took key="took" job={job} />],
          job.lease && [
            "Held",
            <>
              until <Time key="lease" at={job.lease.expiresAt} />, by session {job.lease.sessionEpoch}
            </>,
          ],
          served !== "" && ["Served", <CopyText key="served" text={served} shown={shortHex(served, 20)} />],
          versionId !== "" && ["Version", <CopyText key="version" text={versionId} />],
          ["Created", <Time key="created" at={job.createdAt} isExact />],
          job.startedAt && ["Started", <Time key="started" at={job.startedAt} isExact />],
          job.completedAt && ["Ended", <Time key="ended" at={job.completedAt} isExact />],
          ["Id", <CopyText key="id" text={job.id} />],
        ]}
      />
    </Panel>
  );
}
