/**
 * The query of a page's URL: flat, names not numbers, lists separated by commas, defaults left out. A page says which
 * parameters it knows; others stay in the URL.
 */
export type Search = Readonly<Record<string, string>>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Commas, colons and slashes are legal in a query and stay readable. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(search)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([key, value]) => `${encodeURIComponent(key)}=${readable(String(value))}`);
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

function readable(value: string): string {
  return encodeURIComponent(value).replace(/%(2C|3A|2F|40)/g, (code) => decodeURIComponent(code));
}

/** How one parameter is read and written. An unreadable text is the default. */
export interface Parameter<Value> {
  read(text: string | undefined): Value;
  /** Undefined: the default, left out. */
  write(value: Value): string | undefined;
}

export const text = (fallback = ""): Parameter<string> => ({
  read: (value) => value ?? fallback,
  write: (value) => (value === fallback ? undefined : value),
});

export const flag: Parameter<boolean> = {
  read: (value) => value === "1" || value === "true",
  write: (value) => (value ? "1" : undefined),
};

export const count = (fallback: number): Parameter<number> => ({
  read: (value) => (value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : fallback),
  write: (value) => (value === fallback ? undefined : String(value)),
});

export const choice = <Value extends string>(
  values: readonly Value[],
  fallback: Value,
): Parameter<Value> => ({
  read: (value) => values.find((each) => each === value) ?? fallback,
  write: (value) => (value === fallback ? undefined : value),
});

/** Any words, without repetition. */
export const list: Parameter<readonly string[]> = {
  read: (value) => [...new Set((value ?? "").split(",").filter(Boolean))],
  write: (values) => (values.length === 0 ? undefined : values.join(",")),
};

/** The parameters of a page, by name. */
export type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type Values<P extends Parameters> = {
  [Name in keyof P]: P[Name] extends Parameter<infer V> ? V : never;
};

export function readParameters<P extends Parameters>(parameters: P, search: Search): Values<P> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => [name, parameter.read(search[name])]),
  ) as Values<P>;
}

/** The search with some parameters changed; what the page does not know is kept. */
export function writeParameters<P extends Parameters>(
  parameters: P,
  search: Search,
  values: Partial<Values<P>>,
): Search {
  const written = { ...search };
  for (const [name, value] of Object.entries(values)) {
    const text = parameters[name]?.write(value);
    if (text === undefined) delete written[name];
    else written[name] = text;
  }
  return written;
}

/** What stands in the URL and the page does not know: it is said, so that a mistyped filter is noticed. */
export function unknownParameters(parameters: Parameters, search: Search): string[] {
  return Object.keys(search).filter((name) => !(name in parameters));
}
