import type { JsonObject } from "@bufbuild/protobuf";
import { useMemo, useState } from "react";
import { configOf, type Draft, draftOf, type FormField, fieldsOf, type Schema } from "./schema.ts";

/** A kind of connector, or a type of rule, with the schema of its configuration. */
export interface Kind {
  kind: string;
  title: string;
  configSchema?: JsonObject | undefined;
}

export interface KindConfig {
  /** The chosen one, or the first; empty until the kinds are known. */
  kind: string;
  /** Chooses another: what was typed for the one before is gone, secrets too. */
  setKind(kind: string): void;
  fields: readonly FormField[];
  draft: Draft;
  setDraft(draft: Draft): void;
  /** The draft as the API takes it. */
  config: JsonObject;
}

/** The kind and the configuration of a form; `start` is what is changed, or what a new one begins with. */
export function useKindConfig(
  kinds: readonly Kind[],
  start?: { kind: string; config?: JsonObject | undefined },
): KindConfig {
  const [chosen, choose] = useState(start?.kind ?? "");
  const [typed, setTyped] = useState<Draft>({});
  const kind = chosen || kinds[0]?.kind || "";
  const schema = kinds.find((each) => each.kind === kind)?.configSchema;
  const fields = useMemo(() => fieldsOf((schema ?? {}) as Schema), [schema]);
  const stored = start?.kind === kind ? (start.config ?? {}) : {};
  const draft = { ...draftOf(fields, stored), ...typed };
  return {
    kind,
    setKind(next) {
      choose(next);
      setTyped({});
    },
    fields,
    draft,
    setDraft: setTyped,
    // Who is faster than the kinds sends what the form began with.
    config: schema ? configOf(fields, draft) : { ...stored, ...typed },
  };
}
