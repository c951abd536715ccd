import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Link } from "@tanstack/react-router";
import type { AuditEvent } from "#gen/certctl/v1/audit_pb.ts";
import { CopyText, shortHex } from "../../ui/copy.tsx";
import { Facts } from "../../ui/panel.tsx";
import { Time } from "../../ui/time.tsx";
import { Actor } from "./actor.tsx";
import { actorTypeWords } from "./parameters.ts";
import { Resource } from "./resource.tsx";
import { fieldText } from "./words.ts";

/** Everything that an event says. */
export function EventDetails({ event, names }: { event: AuditEvent; names: ReadonlyMap<string, string> }) {
  const { before, after, ...others } = (event.details ?? {}) as JsonObject;
  return (
    <div className="flex flex-col gap-5">
      <Facts
        facts={[
          ["When", <Time key="when" at={event.timestamp} isExact />],
          ["Who", <Actor key="who" event={event} names={names} />],
          ["Kind of actor", actorTypeWords.text(event.actorType)],
          event.actor !== "system" && ["Actor", <CopyText key="actor" text={event.actor} />],
          ["What", <Resource key="what" event={event} />],
          event.requestId !== "" && [
            "Request",
            <span key="request" className="flex flex-wrap items-center gap-x-3 gap-y-2">
              <CopyText text={event.requestId} />
              <Link
                to="/audit"
                search={{ request: event.requestId } as never}
                className="inline-flex min-h-6 items-center text-accent text-sm hover:underline"
              >
                everything of this call
              </Link>
            </span>,
          ],
          [
            "Sealed",
            event.seq === undefined ? (
              <span key="sealed" className="text-fg2">
                not yet: settled rows are sealed every minute
              </span>
            ) : (
              <span key="sealed" className="flex flex-wrap items-center gap-x-3 gap-y-2">
                number {event.seq.toLocaleString("en-GB")}
                <CopyText text={event.hash} shown={shortHex(event.hash)} label="the row's hash" />
              </span>
            ),
          ],
          ["Event", <CopyText key="event" text={event.id} />],
        ]}
      />
      <Difference before={objectOf(before)} after={objectOf(after)} />
      {Object.keys(others).length > 0 && (
        <Facts
          facts={Object.entries(others).map(([name, value]) => [
            fieldText(name),
            <Value key={name} value={value} />,
          ])}
        />
      )}
    </div>
  );
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** What each field was, and what it is. */
function Difference({ before, after }: { before: JsonObject; after: JsonObject }) {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  if (fields.length === 0) return null;
  const isNew = Object.keys(before).length === 0;
  return (
    <table aria-label="What changed" className="w-full border-collapse text-left">
      <thead>
        <tr className="border-line1 border-b text-fg2 text-sm">
          <th className="py-1.5 pr-4 font-medium">Field</th>
          {!isNew && <th className="py-1.5 pr-4 font-medium">Before</th>}
          <th className="py-1.5 font-medium">{isNew ? "Value" : "After"}</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <tr key={field} className="border-line1 border-b align-top">
            <th scope="row" className="whitespace-nowrap py-1.5 pr-4 font-normal text-fg1">
              {fieldText(field)}
            </th>
            {!isNew && (
              <td className="py-1.5 pr-4 text-fg2 line-through decoration-fg2/50">
                <Value value={before[field]} />
              </td>
            )}
            <td className="py-1.5">
              <Value value={after[field]} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Value({ value }: { value: JsonValue | undefined }) {
  if (value === undefined || value === null || value === "") return <span className="text-fg2">none</span>;
  if (Array.isArray(value) && value.every((each) => typeof each !== "object"))
    return value.length === 0 ? <span className="text-fg2">none</span> : value.join(", ");
  if (typeof value === "object")
    return <code className="break-all font-mono text-sm">{JSON.stringify(value)}</code>;
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value))
    return <Time at={new Date(value)} isExact />;
  return <span className="break-words">{typeof value === "boolean" ? (value ? "yes" : "no") : value}</span>;
}
