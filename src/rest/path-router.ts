/** Where a path leads. */
export type Route<Value> =
  | { kind: "found"; value: Value; variables: ReadonlyMap<string, string> }
  /** The path exists, but not for this verb. */
  | { kind: "other_verbs"; allow: string[] }
  | { kind: "unknown" };

export type Segment = { kind: "literal"; text: string } | { kind: "variable"; name: string };

interface Junction<Value> {
  literals: Map<string, Junction<Value>>;
  variable: Junction<Value> | undefined;
  /** What ends here, by verb. */
  ends: Map<string, { value: Value; names: string[] }>;
}

/**
 * Reads a path template of google.api.http. Of its grammar only literals and `{field}` are used: a variable is one
 * segment, so that every path has a faithful OpenAPI form.
 */
export function parseTemplate(template: string): Segment[] {
  const segments = template
    .split("/")
    .slice(1)
    .map((text): Segment => {
      const name = /^\{([a-z][a-z0-9_]*)\}$/.exec(text)?.[1];
      if (name !== undefined) return { kind: "variable", name };
      if (/^[\w.~-]+$/.test(text)) return { kind: "literal", text };
      throw new Error(`"${text}" in the path "${template}" is neither a literal nor a {variable}`);
    });
  const names = namesOf(segments);
  if (!template.startsWith("/") || new Set(names).size < names.length)
    throw new Error(`"${template}" must start with a slash and name each variable once`);
  return segments;
}

function namesOf(segments: Segment[]): string[] {
  return segments.flatMap((segment) => (segment.kind === "variable" ? [segment.name] : []));
}

/** Finds what is bound to a verb and a path. A literal segment goes before a variable. */
export class PathRouter<Value> {
  readonly #root = junction<Value>();

  /** Throws if the verb is bound to this path already, whatever its variables are called. */
  add(verb: string, template: string, value: Value): void {
    const segments = parseTemplate(template);
    let at = this.#root;
    for (const segment of segments) at = step(at, segment);
    if (at.ends.has(verb)) throw new Error(`${verb} ${template} is bound twice`);
    at.ends.set(verb, { value, names: namesOf(segments) });
  }

  /** `path` is still percent-encoded: an encoded slash stays inside its segment. HEAD is answered as GET. */
  find(verb: string, path: string): Route<Value> {
    const segments = decodeSegments(path);
    const allow = new Set<string>();
    for (const { ends, values } of segments ? candidates(this.#root, segments, []) : []) {
      const end = ends.get(verb) ?? (verb === "HEAD" ? ends.get("GET") : undefined);
      if (end) {
        const variables = new Map(end.names.map((name, index) => [name, values[index] ?? ""]));
        return { kind: "found", value: end.value, variables };
      }
      for (const other of ends.keys()) allow.add(other);
    }
    if (allow.has("GET")) allow.add("HEAD");
    return allow.size > 0 ? { kind: "other_verbs", allow: [...allow] } : { kind: "unknown" };
  }
}

function junction<Value>(): Junction<Value> {
  return { literals: new Map(), variable: undefined, ends: new Map() };
}

function step<Value>(from: Junction<Value>, segment: Segment): Junction<Value> {
  if (segment.kind === "variable") {
    from.variable ??= junction();
    return from.variable;
  }
  const next = from.literals.get(segment.text) ?? junction<Value>();
  from.literals.set(segment.text, next);
  return next;
}

/** Undefined where the path cannot be decoded. */
function decodeSegments(path: string): string[] | undefined {
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

/** Every place that the segments lead to, with the values of the variables on the way. */
function* candidates<Value>(
  from: Junction<Value>,
  [segment, ...rest]: string[],
  values: string[],
): Generator<{ ends: Junction<Value>["ends"]; values: string[] }> {
  if (segment === undefined) {
    yield { ends: from.ends, values };
    return;
  }
  const literal = from.literals.get(segment);
  if (literal) yield* candidates(literal, rest, values);
  if (from.variable && segment !== "") yield* candidates(from.variable, rest, [...values, segment]);
}
