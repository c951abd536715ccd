import { numberText } from "../ui/time-text.ts";
import { useCursor } from "./cursor.ts";
import { axisOf } from "./scale.ts";
import { useWidth } from "./use-width.ts";

export interface DayBar {
  /** "2026-11-24". */
  date: string;
  value: number;
  /** What is said of the day beside its date. */
  text: string;
}

export function textOfDay(day: DayBar | undefined): string {
  return day ? `${day.date}: ${day.text}` : "";
}

interface DayBarsProps {
  days: readonly DayBar[];
  /** The accessible name: what the bars count. */
  label: string;
  /** A line over the bars; days above it are told apart. */
  limit?: { value: number; label: string } | undefined;
  height?: number;
}

const left = 36;
const bottom = 18;
const top = 12;

/** A bar a day, from zero. The value under the pointer or the keyboard is told above. */
export function DayBars({ days, label, limit, height = 168 }: DayBarsProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const cursor = useCursor({ label, count: days.length, textOf: (index) => textOfDay(days[index]) });
  const most = Math.max(0, ...days.map(({ value }) => value));
  const shownLimit = limit && limit.value <= 2 * Math.max(most, 1) ? limit : undefined;
  const { end, lines } = axisOf(Math.max(most, shownLimit?.value ?? 0));
  const plot = { width: Math.max(0, width - left), height: height - bottom - top };
  const slot = plot.width / Math.max(1, days.length);
  const y = (value: number) => top + plot.height * (1 - value / end);
  const looked = cursor.index === undefined ? undefined : days[cursor.index];
  return (
    <div ref={ref} className="min-w-0">
      <p aria-hidden className="h-5 truncate pl-9 text-fg1 text-sm">
        {looked ? (
          <>
            <span className="font-medium text-fg0">{looked.date}</span> {looked.text}
          </>
        ) : null}
      </p>
      <div
        {...cursor.slider}
        onPointerMove={(event) => {
          const x = event.clientX - event.currentTarget.getBoundingClientRect().left - left;
          if (x >= 0 && slot > 0) cursor.look(Math.floor(x / slot));
        }}
        onPointerLeave={cursor.leave}
      >
        <svg aria-hidden width={width} height={height} className="block">
          {lines.map((value) => (
            <g key={value}>
              <line x1={left} x2={width} y1={y(value)} y2={y(value)} className="stroke-line1" />
              <text x={left - 6} y={y(value) + 4} textAnchor="end" className="fill-fg2 text-xs">
                {numberText(value)}
              </text>
            </g>
          ))}
          {days.map(({ date, value }, index) => (
            <rect
              key={date}
              x={left + index * slot + gapOf(slot) / 2}
              width={Math.max(1, slot - gapOf(slot))}
              y={y(value)}
              height={Math.max(0, plot.height + top - y(value))}
              className={shownLimit && value > shownLimit.value ? "fill-warn" : "fill-accent"}
              opacity={cursor.index === undefined || cursor.index === index ? 1 : 0.55}
            />
          ))}
          <line x1={left} x2={width} y1={top + plot.height} y2={top + plot.height} className="stroke-line2" />
          {ticksOf(days, slot).map(({ index, text }) => (
            <text key={index} x={left + index * slot} y={height - 4} className="fill-fg2 text-xs">
              {text}
            </text>
          ))}
          {shownLimit && (
            <g>
              <line
                x1={left}
                x2={width}
                y1={y(shownLimit.value)}
                y2={y(shownLimit.value)}
                strokeDasharray="4 3"
                className="stroke-fg1"
              />
              <text x={width} y={y(shownLimit.value) - 4} textAnchor="end" className="fill-fg1 text-xs">
                {shownLimit.label}
              </text>
            </g>
          )}
        </svg>
      </div>
    </div>
  );
}

const gapOf = (slot: number) => (slot > 6 ? 2 : slot > 3 ? 1 : 0);

const leastTickPx = 56;

/** The days below which a date stands: the first of a week, as many as have room. */
function ticksOf(days: readonly DayBar[], slot: number): { index: number; text: string }[] {
  const every = Math.max(1, Math.ceil(leastTickPx / Math.max(slot * 7, 1))) * 7;
  return days.flatMap(({ date }, index) =>
    index % every === 0 && slot * (days.length - index) > leastTickPx ? [{ index, text: date.slice(5) }] : [],
  );
}
