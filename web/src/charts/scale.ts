/** The end of an axis that begins at zero, and its three grid lines: whole numbers that are easy to read. */
export function axisOf(most: number): { end: number; lines: number[] } {
  const step = niceStep(Math.max(most, 1) / 3);
  const end = step * Math.max(1, Math.ceil(most / step));
  const lines = [];
  for (let value = step; value <= end; value += step) lines.push(value);
  return { end, lines };
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least) ?? 10;
  return factor * power;
}

/** How many of the steps from 0 to 4 a value fills of the most; only zero is step 0. */
export function shadeOf(value: number, most: number): number {
  return value === 0 ? 0 : Math.max(1, Math.ceil((4 * value) / Math.max(most, 1)));
}
