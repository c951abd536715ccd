import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
} from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

type Row = Message & { id: string };
type Fields = Record<string, unknown>;

interface CrudOptions<R extends Row> {
  /** "List" or "Create" of it: "SavedView" of SavedViewService. */
  noun: string;
  rows: Map<string, R>;
  /** Brings a row up to date before it is shown. */
  refresh?(row: R): void;
  onChange(id: string): void;
}

/**
 * The calls that every resource has, from the contract's own shapes: a list that filters by fields of the same name, reading,
 * creating, replacing, archiving and bringing back. Kept in memory.
 */
export function crud<R extends Row>(
  service: DescService,
  options: CrudOptions<R>,
): Record<string, (request: Fields) => unknown> {
  const methods: Record<string, (request: Fields) => unknown> = {};
  for (const method of service.methods) {
    const handler = handlerOf(method, options);
    if (handler) methods[method.localName] = handler;
  }
  return methods;
}

function handlerOf<R extends Row>(
  method: DescMethod,
  options: CrudOptions<R>,
): ((request: Fields) => unknown) | undefined {
  const { noun, rows, refresh, onChange } = options;
  const answer = method.output.fields.find(({ fieldKind }) => fieldKind === "message");
  const found = (id: unknown): R => {
    const row = rows.get(String(id));
    if (!row) throw new ConnectError(`${String(id)} is not in the demo`, Code.NotFound);
    refresh?.(row);
    return row;
  };
  const answerWith = (row: R) => (answer ? { [answer.localName]: row } : {});
  const write = (id: string, request: Fields): R => {
    const desc = answer?.message as DescMessage;
    const before = rows.get(id);
    const now = timestampFromDate(new Date());
    const row = create(desc, {
      ...before,
      ...common(desc, request),
      id,
      ...(before ? { updatedAt: now } : { createdAt: now, enabled: true }),
    } as never) as unknown as R;
    refresh?.(row);
    rows.set(id, row);
    onChange(id);
    return row;
  };
  const mark = (request: Fields, archivedAt: Timestamp | undefined): R => {
    const row = found(request["id"]) as R & { archivedAt?: Timestamp };
    if (archivedAt) row.archivedAt = archivedAt;
    else delete row.archivedAt;
    refresh?.(row);
    onChange(row.id);
    return row;
  };
  switch (method.name) {
    case `List${noun}s`:
    case `List${noun.replace(/y$/, "ie")}s`:
      return (request) => {
        for (const row of rows.values()) refresh?.(row);
        return listOf([...rows.values()], method.input, request);
      };
    case `Get${noun}`:
      return (request) => answerWith(found(request["id"]));
    case `Create${noun}`:
      return (request) => answerWith(write(String(request["id"] || newId(rows)), request));
    case `Update${noun}`:
      return (request) => answerWith(write(found(request["id"]).id, request));
    case `Delete${noun}`:
      return (request) => {
        mark(request, timestampFromDate(new Date()));
        return {};
      };
    case `Restore${noun}`:
      return (request) => answerWith(mark(request, undefined));
    default:
      return undefined;
  }
}

/** Ids look like those that are there. */
function newId(rows: ReadonlyMap<string, unknown>): string {
  const prefix = [...rows.keys()][0]?.split("-")[0] ?? "x";
  return `${prefix}-${Math.random().toString(36).slice(2, 14)}`;
}

function common(desc: DescMessage, request: Fields): Fields {
  const names = new Set(desc.fields.map(({ localName }) => localName));
  return Object.fromEntries(Object.entries(request).filter(([name]) => names.has(name)));
}

const paging = new Set(["page", "perPage", "sort", "cursor", "q", "archived"]);

/** Filters by every field that request and row share, sorts by a field, and cuts a page out. */
export function listOf<R extends Message>(all: readonly R[], request: DescMessage, given: Fields) {
  const filters = request.fields.filter(({ localName }) => !paging.has(localName));
  const wantsArchived = given["archived"] === true;
  const rows = all
    .filter((row) => Boolean((row as Fields)["archivedAt"]) === wantsArchived)
    .filter((row) => matchesText(row as Fields, String(given["q"] ?? "")))
    .filter((row) => filters.every((field) => matches(row as Fields, field, given[field.localName])));
  const sorted = sortBy(rows, String(given["sort"] ?? ""));
  const perPage = Number(given["perPage"]) || 50;
  const page = Number(given["page"]) || 1;
  return {
    data: sorted.slice((page - 1) * perPage, page * perPage),
    total: rows.length,
    page,
    perPage,
    nextCursor: "",
  };
}

function matchesText(row: Fields, q: string): boolean {
  if (q === "") return true;
  const text = [row["name"], row["commonName"], row["certificateName"], row["subject"], row["sans"]].join(
    " ",
  );
  return text.toLowerCase().includes(q.toLowerCase());
}

function matches(row: Fields, field: DescField, wanted: unknown): boolean {
  if (wanted === undefined || wanted === "" || wanted === 0 || wanted === false) return true;
  const { localName } = field;
  if (!Array.isArray(wanted)) return localName in row ? row[localName] === wanted : true;
  if (wanted.length === 0) return true;
  // "ownerIds" filters by "ownerId".
  const name = localName in row ? localName : localName.replace(/s$/, "");
  return name in row ? wanted.includes(row[name]) : true;
}

function sortBy<R extends Message>(rows: readonly R[], sort: string): R[] {
  const isDown = sort.startsWith("-") || sort === "";
  const name = (sort.replace(/^-/, "") || "created_at").replace(/_([a-z])/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
  const order = [...rows].sort((a, b) => compare((a as Fields)[name], (b as Fields)[name]));
  return isDown ? order.reverse() : order;
}

function compare(a: unknown, b: unknown): number {
  const [x, y] = [sortKey(a), sortKey(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function sortKey(value: unknown): string | number {
  if (typeof value === "number") return value;
  if (typeof value === "object" && value !== null && "seconds" in value)
    return Number((value as Timestamp).seconds);
  return String(value ?? "");
}
