import { AgentsDown } from "./agents-down.tsx";
import { ExpiryAndForecast } from "./expiry-and-forecast.tsx";
import { Failures } from "./failures.tsx";
import { RunningJobs } from "./running-jobs.tsx";
import { Violations } from "./violations.tsx";

/** What lies below the numbers: what is ahead, under way, and wrong. */
export function UnderWay() {
  return (
    <>
      <ExpiryAndForecast />
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <RunningJobs />
        <Failures />
        <AgentsDown />
        <Violations />
      </div>
    </>
  );
}
