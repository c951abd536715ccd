const width = 120;
const height = 20;

/** The shape of a row of values beside their sum. It repeats what a table says and is hidden from screen readers. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map(
    (value, index) => `${index * step},${height - 1 - (value / most) * (height - 2)}`,
  );
  return (
    <svg aria-hidden width={width} height={height} className="block">
      <polyline points={points.join(" ")} fill="none" strokeWidth={1.25} className="stroke-accent" />
    </svg>
  );
}
