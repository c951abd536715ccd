import { Link } from "@tanstack/react-router";
import { countText } from "../../ui/time-text.ts";

/** "Renewal queued", with the way to its job. */
export function JobsQueued({ what, jobIds }: { what: string; jobIds: readonly string[] }) {
  const [first] = jobIds;
  return (
    <>
      {what} queued
      {first && (
        <>
          {": "}
          <Link to="/jobs/$id" params={{ id: first }} className="text-accent underline">
            {jobIds.length === 1 ? "its job" : countText(jobIds.length, "job")}
          </Link>
        </>
      )}
    </>
  );
}
