import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";

/** The fields that have a time; the others stay unset. */
export function timestamps<Key extends string>(
  dates: Record<Key, Date | null>,
): Partial<Record<Key, Timestamp>> {
  const set = Object.entries<Date | null>(dates).flatMap(([key, date]) =>
    date ? [[key, timestampFromDate(date)]] : [],
  );
  return Object.fromEntries(set);
}
