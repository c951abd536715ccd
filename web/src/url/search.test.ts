import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  choice,
  count,
  flag,
  list,
  parseSearch,
  readParameters,
  stringifySearch,
  text,
  unknownParameters,
  writeParameters,
} from "./search.ts";

const parameters = {
  status: list,
  q: text(),
  sort: choice(["attention", "name"], "attention"),
  page: count(1),
  archived: flag,
};

describe("search", () => {
  test("writes words, and leaves defaults out", () => {
    const search = writeParameters(
      parameters,
      {},
      { status: ["Expired", "Expiring"], q: "", sort: "attention", page: 1, archived: false },
    );
    expect(stringifySearch(search)).toBe("?status=Expired,Expiring");
  });

  test("reads back what it has written", () => {
    const word = fc.string({ minLength: 1 }).filter((value) => !value.includes(","));
    const values = fc.record({
      status: fc.uniqueArray(word),
      q: fc.string(),
      sort: fc.constantFrom("attention" as const, "name" as const),
      page: fc.nat({ max: 999_999_999 }),
      archived: fc.boolean(),
    });
    fc.assert(
      fc.property(values, (given) => {
        const url = stringifySearch(writeParameters(parameters, {}, given));
        expect(readParameters(parameters, parseSearch(url))).toEqual(given);
      }),
    );
  });

  test("takes the default for what cannot be read", () => {
    const read = readParameters(parameters, { page: "-3", sort: "colour", archived: "yes", status: ",," });
    expect(read).toEqual({ status: [], q: "", sort: "attention", page: 1, archived: false });
  });

  test("keeps what the page does not know, and names it", () => {
    const search = writeParameters(parameters, { view: "vw-1", q: "api" }, { q: "shop" });
    expect(search).toEqual({ view: "vw-1", q: "shop" });
    expect(unknownParameters(parameters, search)).toEqual(["view"]);
  });
});
