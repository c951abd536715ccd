import type { ReactNode } from "react";
import type { Issuer, IssuerKind } from "#gen/certctl/v1/issuers_pb.ts";
import { draftOf, type FormField, fieldsOf, type Schema, shownFields } from "../../forms/schema.ts";
import { CodeBlock } from "../../ui/copy.tsx";
import { Facts, Panel } from "../../ui/panel.tsx";

/** How an issuer is configured, in the words of its form; what is not set is left out. */
export function ConfigurationPanel({ issuer, kind }: { issuer: Issuer; kind: IssuerKind | undefined }) {
  const fields = fieldsOf((kind?.configSchema ?? {}) as Schema);
  const draft = draftOf(fields, issuer.config ?? {});
  const set = shownFields(fields, draft).filter(({ name }) => draft[name] !== "");
  return (
    <Panel title="Configuration">
      {set.length === 0 ? (
        <p className="text-fg1">
          {fields.length === 0 ? "This kind needs no configuration." : "Everything is as it is by default."}
        </p>
      ) : (
        <Facts
          facts={set.map(
            (field) => [nameOf(field, set), shownValue(field, draft[field.name] ?? "")] as const,
          )}
        />
      )}
    </Panel>
  );
}

/** With its group where another field has the same label. */
function nameOf({ label, group, name }: FormField, all: readonly FormField[]): string {
  const isAlone = all.every((other) => other.name === name || other.label !== label);
  return isAlone || group === "" ? label : `${group}: ${label}`;
}

function shownValue({ kind, label, words }: FormField, value: string | boolean): ReactNode {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (kind === "secret" || kind === "long-secret")
    return <span className="text-fg2">kept, and not shown</span>;
  if (kind === "long") return <CodeBlock label={label} text={value} />;
  if (kind === "choice") return words[value] ?? value;
  return <span className="whitespace-pre-wrap break-all font-mono text-sm">{value}</span>;
}
