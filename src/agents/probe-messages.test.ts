import { expect, test } from "vitest";
import { mostOctets, readAnswer, writeAnswer } from "./probe-messages.ts";

const answer = (message: string) => ({
  id: "probe-1",
  agentId: "ag-1",
  served: "",
  checks: Array.from({ length: 10 }, (_, index) => ({ name: `check-${index}`, ok: false, message })),
});

test("an answer fits into a notification, however long its words and whatever they are written in", () => {
  expect(readAnswer(writeAnswer(answer("no")))).toEqual(answer("no"));
  for (const letter of ["a", "ü", "漢", "😀", '"']) {
    const text = writeAnswer(answer(letter.repeat(5_000)));
    expect(Buffer.byteLength(text), letter).toBeLessThanOrEqual(mostOctets);
    expect(readAnswer(text).checks, letter).toHaveLength(10);
    expect(readAnswer(text).checks[0]?.message.length, letter).toBeGreaterThan(50);
  }
});
